//! Sessions of the dashboard: what a browser holds in the place of the admin key, for a day's work.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use super::key::{Pepper, secrets_match};
use super::time::Timestamp;

/// How long a session lasts.
pub const LIFETIME: Duration = Duration::from_secs(12 * 3600);

/// Keep the two signatures apart from each other and from every other use of the pepper.
const SEAL: &[u8] = b"tollgate.session.1\n";
const PROOF: &[u8] = b"tollgate.session.proof.1\n";

/// What signs sessions. Another pepper or another admin key ends all of them.
pub struct Signer<'a> {
    pub pepper: &'a Pepper,
    pub admin_key: &'a str,
}

/// A session, and what ends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// `<milliseconds since the epoch>.<16 random bytes>.<HMAC-SHA-256>`, the bytes in base64url.
    pub token: String,
    pub expires: Timestamp,
}

impl Signer<'_> {
    /// A new session that begins at `now`.
    pub fn begin(&self, now: Timestamp, random: &[u8; 16]) -> Session {
        let expires = now + LIFETIME;
        let payload = format!("{}.{}", expires.millis(), URL_SAFE_NO_PAD.encode(random));
        let seal = self.sign(SEAL, &payload);
        Session { token: format!("{payload}.{seal}"), expires }
    }

    /// Reads a session; none when it was not signed here, or is over at `now`.
    pub fn read(&self, token: &str, now: Timestamp) -> Option<Session> {
        let (payload, seal) = token.rsplit_once('.')?;
        let (expires, _) = payload.split_once('.')?;
        let expires = Timestamp::from_millis(expires.parse().ok()?);
        let is_ours = secrets_match(seal, &self.sign(SEAL, payload));
        (is_ours && now < expires && expires <= now + LIFETIME)
            .then(|| Session { token: token.to_owned(), expires })
    }

    /// What a page of this origin sends with every change, and no other page can know.
    pub fn proof(&self, session: &Session) -> String {
        self.sign(PROOF, &session.token)
    }

    fn sign(&self, purpose: &[u8], payload: &str) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.pepper.secret).expect("HMAC takes keys of any length");
        mac.update(purpose);
        mac.update(&Sha256::digest(self.admin_key.as_bytes()));
        mac.update(payload.as_bytes());
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn pepper(secret: &[u8]) -> Pepper {
        Pepper { version: 1, secret: secret.to_vec() }
    }

    #[test]
    fn a_session_lasts_twelve_hours() {
        let pepper = pepper(b"pepper");
        let signer = Signer { pepper: &pepper, admin_key: "tga_a" };
        let session = signer.begin(NOW, &[7; 16]);
        assert_eq!(signer.read(&session.token, NOW), Some(session.clone()));
        assert_eq!(signer.read(&session.token, session.expires), None);
        assert_eq!(session.expires.since(NOW), LIFETIME);
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let pepper = pepper(b"pepper");
        let signer = Signer { pepper: &pepper, admin_key: "tga_a" };
        let token = signer.begin(NOW, &[7; 16]).token;
        for at in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[at] = if forged[at] == b'1' { b'2' } else { b'1' };
            let forged = String::from_utf8(forged).expect("ASCII");
            assert_eq!(signer.read(&forged, NOW), None, "character {at}");
        }
        for nonsense in ["", ".", "..", "1.2", "x.y.z"] {
            assert_eq!(signer.read(nonsense, NOW), None, "{nonsense}");
        }
    }

    #[test]
    fn another_admin_key_or_pepper_ends_it() {
        let (own, other) = (pepper(b"pepper"), pepper(b"other"));
        let token = Signer { pepper: &own, admin_key: "tga_a" }.begin(NOW, &[7; 16]).token;
        assert_eq!(Signer { pepper: &own, admin_key: "tga_b" }.read(&token, NOW), None);
        assert_eq!(Signer { pepper: &other, admin_key: "tga_a" }.read(&token, NOW), None);
    }

    #[test]
    fn a_proof_belongs_to_one_session_and_is_none() {
        let pepper = pepper(b"pepper");
        let signer = Signer { pepper: &pepper, admin_key: "tga_a" };
        let (one, other) = (signer.begin(NOW, &[7; 16]), signer.begin(NOW, &[8; 16]));
        assert_ne!(signer.proof(&one), signer.proof(&other));
        assert!(!one.token.contains(&signer.proof(&one)));
    }
}
