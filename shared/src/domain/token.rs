//! Browser-safe tokens: a key's holder signs away a part of the key, for one user and a short time.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::key::Pepper;
use super::money::NanoUsd;
use super::time::Timestamp;

const PREFIX: &str = "tgt_";
/// Keeps signatures of tokens apart from every other use of the pepper.
const PURPOSE: &[u8] = b"tollgate.token.1\n";
/// The longest a token may live.
pub const LIFETIME_MAX: Duration = Duration::from_secs(3600);
/// The longest token that is read, in bytes.
const LENGTH_MAX: usize = 8192;

/// What a token says. Everything in it narrows the key; nothing widens it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claims {
    /// Names the token's own counter.
    pub id: String,
    /// The key that it draws on; revoking the key ends the token.
    pub key_id: String,
    pub pepper_version: u32,
    /// The end user, whatever a request says.
    pub user: String,
    pub expires: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<String>>,
    /// What the token may spend in all, on top of the key's own budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<NanoUsd>,
    /// Requests a minute, on top of the key's own limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<i64>,
}

impl Claims {
    /// The token: `tgt_<claims>.<HMAC-SHA-256>`, both in unpadded base64url.
    pub fn sign(&self, pepper: &Pepper) -> String {
        let claims = serde_json::to_vec(self).expect("claims are plain JSON");
        let payload = URL_SAFE_NO_PAD.encode(&claims);
        let seal = URL_SAFE_NO_PAD.encode(mac(&payload, pepper).finalize().into_bytes());
        format!("{PREFIX}{payload}.{seal}")
    }

    /// Reads a token; `None` when it was not signed with this pepper, or is over at `now`.
    pub fn read(token: &str, pepper: &Pepper, now: Timestamp) -> Option<Self> {
        let (payload, seal) = token.strip_prefix(PREFIX)?.split_once('.')?;
        if token.len() > LENGTH_MAX {
            return None;
        }
        mac(payload, pepper).verify_slice(&URL_SAFE_NO_PAD.decode(seal).ok()?).ok()?;
        let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
        (claims.pepper_version == pepper.version && now < claims.expires).then_some(claims)
    }

    /// Whether `token` is meant to be one.
    pub fn looks_like(token: &str) -> bool {
        token.starts_with(PREFIX)
    }
}

fn mac(payload: &str, pepper: &Pepper) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&pepper.secret).expect("HMAC takes keys of any length");
    mac.update(PURPOSE);
    mac.update(payload.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn pepper() -> Pepper {
        Pepper { version: 1, secret: b"pepper".to_vec() }
    }

    fn claims() -> Claims {
        Claims {
            id: "t1".into(),
            key_id: "k1".into(),
            pepper_version: 1,
            user: "ada".into(),
            expires: NOW + Duration::from_secs(60),
            models: Some(vec!["demo/ok".into()]),
            budget: Some(NanoUsd::from_nano(1)),
            requests: None,
        }
    }

    #[test]
    fn a_token_is_read_until_it_is_over() {
        let token = claims().sign(&pepper());
        assert_eq!(Claims::read(&token, &pepper(), NOW), Some(claims()));
        assert_eq!(Claims::read(&token, &pepper(), NOW + Duration::from_secs(60)), None);
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let token = claims().sign(&pepper());
        for at in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).expect("ASCII");
            assert_eq!(Claims::read(&forged, &pepper(), NOW), None, "byte {at}");
        }
        let other = Pepper { version: 1, secret: b"other".to_vec() };
        assert_eq!(Claims::read(&token, &other, NOW), None);
        let rotated = Pepper { version: 2, ..pepper() };
        assert_eq!(Claims::read(&token, &rotated, NOW), None);
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for text in ["", "tgt_", "tgt_.", "tgt_a.b", "tg_abc", "tgt_e30.e30"] {
            assert_eq!(Claims::read(text, &pepper(), NOW), None, "{text:?}");
        }
    }
}
