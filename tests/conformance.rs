//! What every processor adapter must keep, faults included: `conformance/suite.rs` plays the office's plan through a
//! fault proxy against each peer of `conformance/peers.rs`, and the host's own ledger is the judge.
//!
//! A peer that is not installed is left out with a sentence, except in CI.
#![cfg(feature = "office")]
#![cfg(test)]

#[path = "conformance/agreed.rs"]
mod agreed;
#[path = "common/card.rs"]
mod card;
#[path = "conformance/cases.rs"]
mod cases;
#[path = "conformance/iso8583.rs"]
mod iso8583;
#[path = "iso8583/rig.rs"]
#[expect(dead_code, reason = "shared with the adapter's own tests")]
mod iso8583_host;
#[path = "conformance/localstripe.rs"]
mod localstripe;
#[path = "conformance/office.rs"]
mod office;
#[path = "conformance/on_file.rs"]
mod on_file;
#[path = "conformance/peers.rs"]
mod peers;
#[path = "conformance/proxy.rs"]
mod proxy;
#[path = "conformance/suite.rs"]
mod suite;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_the_simulated_processor_has_one_effect_whatever_the_network_does() {
    suite::holds(peers::Simulated::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_a_host_that_ignores_idempotency_keys_has_one_effect_whatever_the_network_does() {
    if let Some(host) = localstripe::Localstripe::start(false) {
        suite::holds(host).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_a_host_that_honours_idempotency_keys_has_one_effect_whatever_the_network_does() {
    if let Some(host) = localstripe::Localstripe::start(true) {
        suite::holds(host).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_a_host_that_tells_nothing_afterwards_has_one_effect_whatever_the_network_does() {
    if let Some(host) = iso8583::Iso8583::start() {
        suite::holds(host).await;
    }
}
