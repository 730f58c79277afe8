//! Who an admin says that they are.

use http::{HeaderMap, Request};
use shared::app::administer::Admin;
use shared::domain::audit::Who;
use shared::http::CallerAddress;
use shared::protocol::fields::BadRequest;

/// Names the person in the log of changes, where several use one admin key.
const ACTOR: &str = "x-tollgate-actor";
/// In characters.
const ACTOR_MAX: usize = 128;

/// Who calls, once the admin key was checked.
///
/// # Errors
/// [`BadRequest`] naming the header.
pub(crate) fn who<B>(admin: &Admin, request: &Request<B>) -> Result<Who, BadRequest> {
    let address = request.extensions().get::<CallerAddress>().map(|address| address.0.clone());
    Ok(admin.who(actor(request.headers())?, address))
}

fn actor(headers: &HeaderMap) -> Result<Option<String>, BadRequest> {
    let mut values = headers.get_all(ACTOR).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = std::str::from_utf8(value.as_bytes()).unwrap_or_default().trim();
    let fits = !text.is_empty() && text.chars().count() <= ACTOR_MAX && !text.chars().any(char::is_control);
    match fits && values.next().is_none() {
        true => Ok(Some(text.to_owned())),
        false => {
            let text = format!(
                "{ACTOR} must be given once and have 1 to {ACTOR_MAX} characters, none of them a control character"
            );
            Err(BadRequest::new(ACTOR, text))
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(values: &[&[u8]]) -> Result<Option<String>, BadRequest> {
        let values = values.iter().map(|value| HeaderValue::from_bytes(value).expect("a header"));
        actor(&values.map(|value| (http::HeaderName::from_static(ACTOR), value)).collect())
    }

    #[test]
    fn an_actor_is_a_short_name_or_none() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["ada@acme.example".as_bytes()]), Ok(Some("ada@acme.example".to_owned())));
        assert_eq!(read(&["Åsa".as_bytes()]), Ok(Some("Åsa".to_owned())));
        let long = "a".repeat(129);
        for wrong in [
            vec![&b""[..]],
            vec![&b"\xff\xfe"[..]],
            vec![&b"a\tb"[..]],
            vec![long.as_bytes()],
            vec![b"a", b"b"],
        ] {
            assert_eq!(read(&wrong).expect_err("wrong").param, ACTOR, "{wrong:?}");
        }
    }
}
