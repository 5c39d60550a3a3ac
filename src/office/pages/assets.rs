//! The style sheet and the script, compiled in.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use std::fmt::Write;
use std::sync::OnceLock;

/// The board's time line: quarters of an hour from 07:00 to 19:00.
pub(super) const BOARD_QUARTERS: u32 = 48;
/// Lanes of visits that overlap.
pub(super) const LANES_MAX: u32 = 8;

const CSS: &str = include_str!("app.css");
const JS: &str = include_str!("app.js");

/// The sheet, with one class a place on the time line: the content policy forbids style attributes.
fn sheet() -> &'static str {
    static SHEET: OnceLock<String> = OnceLock::new();
    SHEET.get_or_init(|| {
        let mut css = CSS.to_owned();
        for n in 0..BOARD_QUARTERS {
            let _ = write!(css, ".s{n}{{grid-column-start:{}}}.w{1}{{grid-column-end:span {1}}}", n + 1, n + 1);
        }
        for n in 1..=LANES_MAX {
            let _ = write!(css, ".l{n}{{grid-row:{n}}}");
        }
        css
    })
}

/// `GET /assets/app.css`
pub(super) async fn css() -> Response {
    asset("text/css; charset=utf-8", sheet())
}

/// `GET /assets/app.js`
pub(super) async fn js() -> Response {
    asset("text/javascript; charset=utf-8", JS)
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "private, max-age=60")], text).into_response()
}
