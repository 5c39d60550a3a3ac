//! Logging in and out. Wrong passwords are slowed down by name, and only a few are hashed at once.

use super::PagesState;
use super::error::PageError;
use super::{guard, layout};
use crate::office::users::{self, Visitor};
use axum::extract::{Form, Query, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, http::HeaderName};
use maud::{Markup, html};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Wrong passwords in a row for one name before it has to wait.
const TRIES: u32 = 5;
/// How long it waits then, milliseconds.
const WAIT_MS: i64 = 60_000;
/// How many names are remembered.
const NAMES_MAX: usize = 1_000;
/// Passwords hashed at once: each takes a core and 19 MiB for tens of milliseconds.
const HASHES_MAX: usize = 2;

/// Wrong passwords by name, and how many hashes may run.
#[derive(Clone)]
pub struct Attempts {
    wrong: Arc<Mutex<HashMap<String, (u32, i64)>>>,
    hashes: Arc<Semaphore>,
}

impl Default for Attempts {
    fn default() -> Self {
        Self { wrong: Arc::default(), hashes: Arc::new(Semaphore::new(HASHES_MAX)) }
    }
}

impl Attempts {
    fn must_wait(&self, name: &str, now_ms: i64) -> bool {
        let wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        wrong.get(name).is_some_and(|(count, last_ms)| *count >= TRIES && now_ms - last_ms < WAIT_MS)
    }

    fn note(&self, name: &str, fits: bool, now_ms: i64) {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        if fits {
            wrong.remove(name);
            return;
        }
        if wrong.len() >= NAMES_MAX {
            wrong.retain(|_, (_, last_ms)| now_ms - *last_ms < WAIT_MS);
        }
        if wrong.len() < NAMES_MAX || wrong.contains_key(name) {
            let entry = wrong.entry(name.to_owned()).or_insert((0, now_ms));
            let count = if now_ms - entry.1 < WAIT_MS { entry.0.saturating_add(1) } else { 1 };
            *entry = (count, now_ms);
        }
    }
}

#[derive(serde::Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    next: String,
}

/// `GET /login`
pub(super) async fn page(State(state): State<PagesState>, Query(asked): Query<Asked>) -> Response {
    layout::html(StatusCode::OK, form(&state, &asked.next, "", ""))
}

#[derive(serde::Deserialize)]
pub(super) struct Entered {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

/// `POST /login`
pub(super) async fn enter(State(state): State<PagesState>, Form(entered): Form<Entered>) -> Response {
    let now_ms = (state.clock)();
    let name: String = entered.name.trim().chars().take(users::NAME_MAX_CHARS).collect();
    if state.attempts.must_wait(&name, now_ms) {
        let text = "Too many wrong passwords for this name. Wait a minute, then try again.";
        return layout::html(StatusCode::TOO_MANY_REQUESTS, form(&state, &entered.next, &name, text));
    }
    match open(&state, &name, entered.password, now_ms).await {
        Ok(Some(token)) => {
            let to = if guard::is_own_path(&entered.next) { entered.next.as_str() } else { "/" };
            with_cookie(guard::see_other(to), &token)
        }
        Ok(None) => {
            let text = "Name or password is wrong.";
            layout::html(StatusCode::UNAUTHORIZED, form(&state, &entered.next, &name, text))
        }
        Err(why) => why.into_response(),
    }
}

/// A new session's token when the password fits. The database is free while the password is hashed.
async fn open(state: &PagesState, name: &str, password: String, now_ms: i64) -> Result<Option<String>, PageError> {
    let user = name.to_owned();
    let stored = state.blocking(move |db| Ok(users::stored_hash(db, &user)?)).await?;
    let permit = state.attempts.hashes.acquire().await.map_err(|_| PageError::Worker)?;
    let fits = tokio::task::spawn_blocking(move || users::password_fits(stored.as_deref(), &password))
        .await
        .map_err(|_| PageError::Worker)?;
    drop(permit);
    state.attempts.note(name, fits, now_ms);
    if !fits {
        tracing::warn!(user = name, "a login was refused");
        return Ok(None);
    }
    let user = name.to_owned();
    state.blocking(move |db| Ok(Some(users::open_session(db, &user, now_ms)?))).await
}

#[derive(serde::Deserialize)]
pub(super) struct Leaving {
    #[serde(default)]
    csrf: String,
}

/// `POST /logout`
pub(super) async fn logout(
    State(state): State<PagesState>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    Form(leaving): Form<Leaving>,
) -> Response {
    if !visitor.csrf_fits(&leaving.csrf) {
        return PageError::Csrf.into_response();
    }
    let Some(token) = guard::token(&headers) else { return guard::see_other("/login") };
    match state.blocking(move |db| Ok(users::end_session(db, &token)?)).await {
        Ok(()) => with_cookie(guard::see_other("/login"), ""),
        Err(why) => why.into_response(),
    }
}

fn with_cookie(mut response: Response, token: &str) -> Response {
    const NAME: HeaderName = SET_COOKIE;
    if let Ok(value) = HeaderValue::from_str(&guard::cookie(token)) {
        response.headers_mut().insert(NAME, value);
    }
    response
}

fn form(state: &PagesState, next: &str, name: &str, wrong: &str) -> Markup {
    let next = if guard::is_own_path(next) { next } else { "" };
    layout::bare(
        "Log in",
        html! {
            main.door #main {
                h1 { span.mark { "▤" } " tillroll" }
                p.dim { "The back office" }
                @if !wrong.is_empty() { p.alert role="alert" { "▲ " (wrong) } }
                form method="post" action="/login" {
                    input type="hidden" name="next" value=(next);
                    label { "Name" input type="text" name="name" value=(name) autocomplete="username" required autofocus; }
                    label { "Password" input type="password" name="password" autocomplete="current-password" required; }
                    button.primary type="submit" { "Log in" }
                }
                @if let Some(hint) = &state.login_hint { p.hint { (hint) } }
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_wrong_passwords_make_a_name_wait_and_others_not() {
        let attempts = Attempts::default();
        for n in 0..5 {
            assert!(!attempts.must_wait("jo", n));
            attempts.note("jo", false, n);
        }
        assert!(attempts.must_wait("jo", 5) && !attempts.must_wait("al", 5));
        assert!(!attempts.must_wait("jo", 4 + WAIT_MS));
        attempts.note("jo", true, 6);
        assert!(!attempts.must_wait("jo", 7));
    }

    #[test]
    fn names_are_not_remembered_without_end() {
        let attempts = Attempts::default();
        for n in 0..3_000 {
            attempts.note(&n.to_string(), false, 0);
        }
        assert_eq!(attempts.wrong.lock().unwrap().len(), NAMES_MAX);
        attempts.note("later", false, WAIT_MS);
        assert_eq!(attempts.wrong.lock().unwrap().len(), 1);
    }
}
