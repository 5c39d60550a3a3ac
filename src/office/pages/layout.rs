//! The frame around every page: head, navigation with its counts, the form's token.

use super::View;
use super::query::Counts;
use crate::domain::mode::Mode;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

/// What a page says for itself.
pub(super) struct Page {
    pub(super) title: String,
    /// The navigation entry that it belongs to: its address.
    pub(super) at: &'static str,
    pub(super) body: Markup,
}

/// Without a script, pages load themselves again after this long; forms need time to be filled in.
const RELOAD_S: u8 = 5;
const RELOAD_WITH_FORM_S: u8 = 30;

/// An answer of HTML.
pub(super) fn html(status: StatusCode, markup: Markup) -> Response {
    (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], markup.into_string()).into_response()
}

fn head(title: &str, reload_s: Option<u8>) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (title) " · tillroll" }
            link rel="icon" href="data:,";
            link rel="stylesheet" href="/assets/app.css";
            @if let Some(seconds) = reload_s {
                script src="/assets/app.js" defer {}
                noscript { meta http-equiv="refresh" content=(seconds); }
            }
        }
    }
}

/// A page without navigation and without refresh.
pub(super) fn bare(title: &str, body: Markup) -> Markup {
    html! { (DOCTYPE) html lang="en" { (head(title, None)) body { (body) } } }
}

/// A page that says one thing.
pub(super) fn message(status: StatusCode, text: &str) -> Markup {
    let title = status.canonical_reason().unwrap_or("Error");
    bare(title, html! { main.door #main { h1 { (title) } p { (text) } p { a href="/" { "To the board" } } } })
}

/// A page inside the navigation.
pub(super) fn whole(view: &View<'_>, changes: u64, counts: Counts, mode: Mode, page: Page) -> Markup {
    let reload_s = if matches!(page.at, "/exceptions" | "/payments" | "/refunds" | "/agreements") {
        RELOAD_WITH_FORM_S
    } else {
        RELOAD_S
    };
    let entries = [
        ("/", "Board", 0, ""),
        ("/review", "Review", counts.review, "calm"),
        ("/payments", "Payments", counts.held, "calm"),
        ("/refunds", "Refunds", counts.refunds, "loud"),
        ("/agreements", "Agreements", 0, ""),
        ("/exceptions", "Exceptions", counts.exceptions, "loud"),
        ("/shifts", "Shifts", 0, ""),
        ("/devices", "Devices", counts.unwell_devices, "loud"),
    ];
    html! {
        (DOCTYPE)
        html lang="en" data-changes=(changes) {
            (head(&page.title, Some(reload_s)))
            body {
                header.top {
                    a.brand href="/" { span.mark { "▤" } " tillroll" }
                    @if let Some(word) = mode.word() { b.mode { (word) } }
                    nav #nav aria-label="Pages" {
                        @for (address, word, count, tone) in entries {
                            a href=(address) aria-current=[(page.at == address).then_some("page")] {
                                (word)
                                @if count > 0 { " " b.count.(tone) { (count) } }
                            }
                        }
                    }
                    span #live data-state="on" {}
                    form.out method="post" action="/logout" {
                        (token(view))
                        span.dim { (view.visitor.name) ", " (view.visitor.role.name()) }
                        button type="submit" { "Log out" }
                    }
                }
                main #main { (page.body) }
            }
        }
    }
}

/// The hidden field that every form carries.
pub(super) fn token(view: &View<'_>) -> Markup {
    html! { input type="hidden" name="csrf" value=(view.visitor.csrf); }
}

/// A line in place of an empty table.
pub(super) fn nothing(text: &str) -> Markup {
    html! { p.nothing { (text) } }
}
