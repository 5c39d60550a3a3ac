//! The door: who is inside, what every answer must say about itself, what a form must carry.

use super::PagesState;
use super::error::PageError;
use crate::office::users;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, COOKIE, LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// The session's cookie.
pub(super) const COOKIE_NAME: &str = "tillroll_session";
/// Nothing inline, nothing from elsewhere.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Adds the headers that every page has.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    if foreign(request.method(), request.headers()) {
        return sealed(PageError::Csrf.into_response());
    }
    sealed(next.run(request).await)
}

fn sealed(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("content-security-policy"), HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Whether a browser says that a form came from another site; this also covers the login, which has no token yet.
fn foreign(method: &Method, headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    *method == Method::POST && matches!(site, Some("cross-site" | "same-site"))
}

/// Lets people with a session pass, sends others to the login.
pub(super) async fn inside(State(state): State<PagesState>, mut request: Request, next: Next) -> Response {
    let now_ms = (state.clock)();
    let visitor = match token(request.headers()) {
        Some(token) => state.blocking(move |db| Ok(users::visitor(db, &token, now_ms)?)).await,
        None => Ok(None),
    };
    match visitor {
        Ok(Some(visitor)) => {
            request.extensions_mut().insert(visitor);
            next.run(request).await
        }
        Ok(None) if request.uri().path() == "/changes" => StatusCode::UNAUTHORIZED.into_response(),
        Ok(None) => to_login(&request),
        Err(why) => why.into_response(),
    }
}

fn to_login(request: &Request) -> Response {
    let path = request.uri().path();
    if *request.method() == Method::GET && path != "/" && is_own_path(path) {
        return see_other(&format!("/login?next={path}"));
    }
    see_other("/login")
}

/// Whether a text is a plain path of this site: it goes into a `Location` after the login.
pub(super) fn is_own_path(path: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_');
    path.len() <= 200 && path.starts_with('/') && !path.starts_with("//") && path.bytes().all(plain)
}

/// The session's token, if the browser sent one.
pub(super) fn token(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let found = pairs.find(|(name, _)| *name == COOKIE_NAME).map(|(_, token)| token.to_owned());
    found.filter(|token| token.len() == 64)
}

/// The cookie for a token; an empty one ends it. Strict: links from elsewhere do not carry it. It is not marked
/// Secure because the office speaks plain HTTP on loopback.
pub(super) fn cookie(token: &str) -> String {
    let age_s = if token.is_empty() { 0 } else { users::SESSION_MS / 1_000 };
    format!("{COOKIE_NAME}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age_s}")
}

/// A redirect after a form.
pub(super) fn see_other(to: &str) -> Response {
    match HeaderValue::from_str(to) {
        Ok(value) => (StatusCode::SEE_OTHER, [(LOCATION, value)]).into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_paths_are_gone_to() {
        for path in ["/", "/review", "/jobs/0198-a_b"] {
            assert!(is_own_path(path), "{path}");
        }
        for path in ["", "//evil.example", "https://evil.example", "/\\evil", "/a?b", "/%2f", "/a\nb"] {
            assert!(!is_own_path(path), "{path}");
        }
    }

    #[test]
    fn the_token_is_found_among_cookies() {
        let mut headers = HeaderMap::new();
        let token64 = "a".repeat(64);
        headers.insert(COOKIE, format!("x=1; {COOKIE_NAME}={token64}; y=2").parse().unwrap());
        assert_eq!(token(&headers), Some(token64));
        headers.insert(COOKIE, format!("{COOKIE_NAME}=short").parse().unwrap());
        assert_eq!(token(&headers), None);
    }
}
