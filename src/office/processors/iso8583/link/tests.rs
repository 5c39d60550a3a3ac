//! The connection against servers that misbehave.

use super::*;
use proptest::prelude::*;
use std::future::Future;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// So long may a call take here.
const WITHIN: Duration = Duration::from_millis(400);
/// What it may take beside, on a busy machine.
const SLACK: Duration = Duration::from_secs(5);

fn profile() -> Profile {
    let mut profile = Profile::load("ascii").unwrap();
    profile.times.sign_on_ms = 300;
    profile.times.rest_ms = 300;
    profile
}

fn echo(link: &Link) -> Message {
    requests::network(requests::ECHO, link.next_stan(), 0).unwrap()
}

/// The answer to whatever was asked, framed.
fn answer(profile: &Profile, asked: &Message) -> Vec<u8> {
    let mut answer = Message::new(Mti(asked.mti.answer_kind() * 10));
    answer.fields.extend(asked.fields.clone());
    answer.set(39, "00");
    super::super::frames::frame(&profile.encode(&answer).unwrap(), 4_096).unwrap()
}

/// A server that answers the sign-on, if `signs`, and every later message with `reply`.
async fn server<F: Future<Output = Vec<u8>> + Send>(
    signs: bool,
    reply: impl Fn(Message) -> F + Send + Clone + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let reply = reply.clone();
            tokio::spawn(async move {
                let (profile, mut frames, mut chunk) =
                    (profile(), super::super::frames::Frames::new(4_096), [0; 4_096]);
                while let Ok(count @ 1..) = stream.read(&mut chunk).await {
                    frames.push(&chunk[..count]);
                    while let Some(bytes) = frames.take().unwrap() {
                        let asked = profile.decode(&bytes).unwrap();
                        let out = match asked.text(70) {
                            Some("001") if signs => answer(&profile, &asked),
                            _ => reply(asked).await,
                        };
                        if stream.write_all(&out).await.is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    address
}

fn link(address: &str) -> Link {
    Link::new(address, Arc::new(profile()), mpsc::channel(1).0)
}

#[tokio::test]
async fn a_server_that_never_answers_the_sign_on_is_given_up_in_time() {
    let address = server(false, |_| async { Vec::new() }).await;
    let link = link(&address);
    let began = Instant::now();
    let why = link.call(echo(&link), Duration::from_secs(60)).await.unwrap_err();
    assert!(matches!(&why, LinkError::NotSent(text) if text.contains("sign-on")), "{why}");
    assert!(began.elapsed() < SLACK);
}

#[tokio::test]
async fn a_silent_server_is_asked_for_an_echo_and_left_when_it_gives_none() {
    let address = server(true, |_| async { Vec::new() }).await;
    let link = link(&address);
    let why = link.call(echo(&link), WITHIN).await.unwrap_err();
    assert!(matches!(why, LinkError::Silent(_)), "{why}");
    // The probe runs out while the next call waits.
    let why = link.call(echo(&link), Duration::from_secs(60)).await.unwrap_err();
    assert_eq!(why, LinkError::Lost("the processor answers no echo".to_owned()));
}

#[tokio::test]
async fn a_call_whose_time_is_up_before_the_connection_stands_is_not_sent() {
    let (sent, mut asked) = mpsc::channel(8);
    let address = server(false, move |message| {
        let sent = sent.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let out = answer(&profile(), &message);
            sent.send(message).await.unwrap();
            out
        }
    })
    .await;
    let link = link(&address);
    assert!(link.call(echo(&link), Duration::from_millis(50)).await.is_err());
    assert!(link.call(echo(&link), Duration::from_secs(10)).await.is_ok());
    let (first, second) = (asked.recv().await.unwrap(), asked.recv().await.unwrap());
    assert_eq!((first.text(70), second.text(70), second.text(11)), (Some("001"), Some("301"), Some("000003")));
    assert!(asked.try_recv().is_err());
}

#[tokio::test]
async fn an_answer_whose_caller_has_gone_is_a_late_one() {
    let address = server(true, |message| async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        answer(&profile(), &message)
    })
    .await;
    let (late, mut lates) = mpsc::channel(1);
    let link = Link::new(&address, Arc::new(profile()), late);
    let asked = requests::authorisation(&profile(), &requests::tests::request()).unwrap();
    assert!(timeout(Duration::from_millis(100), link.call(asked, SLACK)).await.is_err());
    let late = timeout(SLACK, lates.recv()).await.unwrap().unwrap();
    assert_eq!((late.rrn.as_str(), late.answer.approved), ("e5a100000042", true));
}

#[tokio::test]
async fn the_same_request_is_not_under_way_twice() {
    let address = server(true, |message| async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        answer(&profile(), &message)
    })
    .await;
    let link = link(&address);
    let message = echo(&link);
    let (one, two) = tokio::join!(link.call(message.clone(), SLACK), link.call(message, SLACK));
    assert!(one.is_ok(), "{one:?}");
    assert!(matches!(two, Err(LinkError::NotSent(_))), "{two:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_server_that_sends_anything_ends_every_call_in_time_and_approves_nothing(
        junk in proptest::collection::vec(any::<u8>(), 0..300), framed: bool,
    ) {
        let out = if framed && !junk.is_empty() { super::super::frames::frame(&junk, 4_096).unwrap() } else { junk };
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            let address = server(true, move |_| {
                let out = out.clone();
                async move { out }
            })
            .await;
            let link = link(&address);
            let began = Instant::now();
            for _ in 0..2 {
                assert!(link.call(echo(&link), Duration::from_millis(60)).await.is_err());
            }
            assert!(began.elapsed() < SLACK);
        });
    }
}
