//! `/admin/session`: the admin key exchanged for a cookie, so that the browser need not keep the key.

use std::time::Duration;

use http::header::{AUTHORIZATION, CACHE_CONTROL, COOKIE, HOST, SET_COOKIE};
use http::{HeaderMap, HeaderName, Method, Request, Response};
use serde_json::json as document;
use shared::app::administer::Admin;
use shared::app::error::GatewayError;
use shared::app::sign_in::Presented;
use shared::domain::session::{LIFETIME, Session};
use shared::http::{Body, json, set, token};

/// A cookie with the prefix is taken by browsers only where it is secure and of this host alone.
const SECURE: &str = "__Host-tollgate";
/// Its name over plain HTTP, which is spoken on the loopback only.
const PLAIN: &str = "tollgate";
/// Carries the proof of a session with every change.
const PROOF: &str = "x-tollgate-csrf";
/// How long a wrong key is pondered at sign-in.
const PONDER: Duration = Duration::from_millis(500);

/// What a request comes with, read out of its headers.
#[derive(Debug, Default)]
pub(crate) struct Credentials {
    key: Option<String>,
    session: Option<String>,
    proof: Option<String>,
    changes: bool,
}

impl Credentials {
    pub(crate) fn of<B>(request: &Request<B>) -> Self {
        let headers = request.headers();
        let names_a_key = headers.contains_key(AUTHORIZATION) || headers.contains_key("x-api-key");
        Credentials {
            // What is no readable key is a wrong one, not none.
            key: token(headers).or_else(|| names_a_key.then(String::new)),
            session: cookie(headers, name(headers)),
            proof: headers.get(PROOF).and_then(|value| value.to_str().ok()).map(str::to_owned),
            changes: !matches!(*request.method(), Method::GET | Method::HEAD),
        }
    }

    pub(crate) fn presented(&self) -> Presented<'_> {
        Presented {
            key: self.key.as_deref(),
            session: self.session.as_deref(),
            proof: self.proof.as_deref(),
            changes: self.changes,
        }
    }
}

/// None where there is no such method.
pub(crate) async fn respond<B>(
    admin: &Admin,
    request: &Request<B>,
    id: &str,
) -> Result<Option<Response<Body>>, GatewayError> {
    let credentials = Credentials::of(request);
    let presented = credentials.presented();
    match *request.method() {
        Method::POST => match admin.sign_in(&presented) {
            Ok((session, proof)) => Ok(Some(begun(request.headers(), &session, &proof, id))),
            Err(refused) => {
                tokio::time::sleep(PONDER).await;
                Err(refused)
            }
        },
        Method::GET => {
            admin.authorize(&presented)?;
            let view = admin.signed_in(&presented).map(|(session, proof)| view(&session, &proof));
            Ok(Some(json(200, id, &view.unwrap_or(document!({ "expiresAt": null, "csrf": null })))))
        }
        Method::DELETE => {
            admin.authorize(&presented)?;
            let mut response = json(200, id, &document!({ "signedOut": true }));
            set(response.headers_mut(), SET_COOKIE, &line(request.headers(), "", Duration::ZERO));
            Ok(Some(response))
        }
        _ => Ok(None),
    }
}

fn begun(headers: &HeaderMap, session: &Session, proof: &str, id: &str) -> Response<Body> {
    let mut response = json(201, id, &view(session, proof));
    set(response.headers_mut(), SET_COOKIE, &line(headers, &session.token, LIFETIME));
    set(response.headers_mut(), CACHE_CONTROL, "no-store");
    response
}

fn view(session: &Session, proof: &str) -> serde_json::Value {
    document!({ "expiresAt": session.expires.rfc3339(), "csrf": proof })
}

fn line(headers: &HeaderMap, token: &str, lifetime: Duration) -> String {
    let name = name(headers);
    let secure = if name == SECURE { "; Secure" } else { "" };
    format!("{name}={token}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{secure}", lifetime.as_secs())
}

/// Whoever lies about the host weakens their own cookie alone.
fn name(headers: &HeaderMap) -> &'static str {
    let host = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let forwarded = headers.contains_key(HeaderName::from_static("x-forwarded-proto"));
    let host = host.rsplit_once(':').filter(|(_, port)| !port.contains(']')).map_or(host, |(host, _)| host);
    match !forwarded && matches!(host, "localhost" | "127.0.0.1" | "[::1]") {
        true => PLAIN,
        false => SECURE,
    }
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(given, _)| *given == name).map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_cookie_is_secure_but_on_the_loopback() {
        for host in ["localhost:3000", "127.0.0.1:8", "[::1]:3000", "localhost"] {
            assert!(!line(&headers(&[("host", host)]), "t", LIFETIME).contains("Secure"), "{host}");
        }
        for pairs in [
            vec![("host", "a1.execute-api.us-east-1.amazonaws.com")],
            vec![("host", "localhost:3000"), ("x-forwarded-proto", "https")],
            vec![("host", "localhost.example")],
            vec![],
        ] {
            let expected = "__Host-tollgate=t; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure";
            assert_eq!(line(&headers(&pairs), "t", LIFETIME), expected, "{pairs:?}");
        }
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let sent = headers(&[("cookie", "a=b; tollgate=1.2.3; tollgate2=x")]);
        assert_eq!(cookie(&sent, PLAIN).as_deref(), Some("1.2.3"));
        assert_eq!(cookie(&sent, SECURE), None);
    }
}
