//! Virtual keys: how they look, how they are stored, how they are checked.

use std::fmt;

use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::policy::Policy;
use super::time::Timestamp;

const PREFIX: &str = "tg_";
const ID_LENGTH: usize = 12;
const SECRET_LENGTH: usize = 40;
const CHECK_LENGTH: usize = 6;
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// What the store keeps of a key. It cannot be turned back into the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyRecord {
    pub id: String,
    /// HMAC-SHA-256 of the whole key under pepper `pepper_version`, in hex.
    pub digest: String,
    pub pepper_version: u32,
    pub name: String,
    pub tenant: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    #[serde(default)]
    pub policy: Policy,
    /// Models the key may use; none is every model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<String>>,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

/// What of a key may be changed beside its policy. A request under way keeps what it began with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyDetails {
    pub name: String,
    pub team: Option<String>,
    pub models: Option<Vec<String>>,
}

impl KeyRecord {
    pub fn details(&self) -> KeyDetails {
        KeyDetails { name: self.name.clone(), team: self.team.clone(), models: self.models.clone() }
    }

    /// The same key with other details.
    #[must_use]
    pub fn with(self, details: KeyDetails) -> Self {
        let KeyDetails { name, team, models } = details;
        KeyRecord { name, team, models, ..self }
    }
}

/// The secret under which keys are digested. Versions let it be rotated: new keys take the newest.
#[derive(Clone)]
pub struct Pepper {
    pub version: u32,
    pub secret: Vec<u8>,
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pepper(version {})", self.version)
    }
}

/// A key as the caller presents it: `tg_<id>_<secret><checksum>`.
#[derive(Clone, Copy)]
pub struct PresentedKey<'a> {
    pub id: &'a str,
    whole: &'a str,
}

/// Makes a key of 12 characters of id and 200 bits of secret, all from `random`, which must come
/// from a cryptographic source. Returns the id and the whole key.
pub fn generate(random: &[u8; ID_LENGTH + SECRET_LENGTH]) -> (String, String) {
    let letters: String = random.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
    let (id, secret) = letters.split_at(ID_LENGTH);
    let body = format!("{PREFIX}{id}_{secret}");
    let check = checksum(&body);
    (id.to_owned(), format!("{body}{check}"))
}

impl<'a> PresentedKey<'a> {
    /// Reads a key; `None` when it cannot be one, checksum included.
    pub fn parse(whole: &'a str) -> Option<Self> {
        let (id, secret) = whole.strip_prefix(PREFIX)?.split_once('_')?;
        let letters = |text: &str| text.bytes().all(|b| ALPHABET.contains(&b));
        let shaped = id.len() == ID_LENGTH && secret.len() == SECRET_LENGTH + CHECK_LENGTH;
        if !shaped || !letters(id) || !letters(secret) {
            return None;
        }
        let (body, check) = whole.split_at(whole.len() - CHECK_LENGTH);
        (checksum(body) == check).then_some(PresentedKey { id, whole })
    }

    /// The digest the store keeps, in hex.
    pub fn digest(&self, pepper: &Pepper) -> String {
        digest(self.whole, pepper)
    }

    /// Compares in constant time. An unknown key is compared with a dummy, so that both cost the
    /// same.
    pub fn matches(&self, record: Option<&KeyRecord>, pepper: &Pepper) -> bool {
        let dummy = "0".repeat(64);
        let expected = record.map_or(dummy.as_str(), |record| record.digest.as_str());
        let equal: bool = self.digest(pepper).as_bytes().ct_eq(expected.as_bytes()).into();
        equal && record.is_some()
    }
}

/// Compares two secrets in constant time through their digests, whatever their lengths.
pub fn secrets_match(a: &str, b: &str) -> bool {
    Sha256::digest(a.as_bytes()).ct_eq(&Sha256::digest(b.as_bytes())).into()
}

/// What tells a secret from others in a log and says nothing else of it: 16 hexadecimal digits, keyed
/// by the pepper, so that a weak secret cannot be guessed from it either.
pub fn fingerprint(secret: &str, pepper: &Pepper) -> String {
    digest(secret, pepper).chars().take(16).collect()
}

fn digest(whole: &str, pepper: &Pepper) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(&pepper.secret).expect("HMAC takes keys of any length");
    mac.update(whole.as_bytes());
    hex(&mac.finalize().into_bytes())
}

fn checksum(body: &str) -> String {
    let digest = Sha256::digest(body.as_bytes());
    digest.iter().take(CHECK_LENGTH).map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
        .map(char::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random() -> [u8; 52] {
        std::array::from_fn(|i| u8::try_from(i * 5 % 251).unwrap_or(0))
    }

    fn record(key: &PresentedKey<'_>, pepper: &Pepper) -> KeyRecord {
        KeyRecord {
            id: key.id.to_owned(),
            digest: key.digest(pepper),
            pepper_version: pepper.version,
            name: "n".into(),
            tenant: "t".into(),
            team: None,
            policy: Policy::default(),
            models: None,
            created_at: Timestamp::default(),
            revoked_at: None,
        }
    }

    #[test]
    fn a_key_is_recognised_by_its_digest_alone() {
        let pepper = Pepper { version: 1, secret: b"pepper".to_vec() };
        let (id, whole) = generate(&random());
        let key = PresentedKey::parse(&whole).expect("a generated key");
        assert_eq!(key.id, id);
        let record = record(&key, &pepper);
        assert!(key.matches(Some(&record), &pepper));
        assert!(!key.matches(None, &pepper));
        assert!(!key.matches(Some(&record), &Pepper { version: 1, secret: b"other".to_vec() }));
        assert!(!serde_json::to_string(&record).expect("json").contains(&whole[17..]));
    }

    #[test]
    fn what_is_not_a_key_is_not_looked_up() {
        let (_, whole) = generate(&random());
        let mut typo = whole.clone();
        typo.replace_range(20..21, if &whole[20..21] == "a" { "b" } else { "a" });
        for text in
            ["", "tg_", "sk-123", &whole[1..], &whole[..whole.len() - 1], &typo, &whole.to_uppercase()]
        {
            assert!(PresentedKey::parse(text).is_none(), "{text:?}");
        }
    }
}
