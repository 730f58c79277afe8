//! What callers present: keys, and browser-safe tokens.

use std::time::Duration;

use shared::app::authenticate::Presented;
use shared::domain::key::{Pepper, PresentedKey, generate};
use shared::domain::time::Timestamp;
use shared::domain::token::Claims;

/// What every run signs with; nothing outside of this file does.
const SECRET: &[u8] = b"a pepper of the fuzzer alone";
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// Nothing is taken for a token that was not signed here. Claims come back as they were signed, and
/// no longer than they say.
pub(super) fn target(data: &[u8]) {
    let pepper = Pepper { version: 1, secret: SECRET.to_vec() };
    if let Some((random, _)) = data.split_first_chunk() {
        generated(random);
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(key) = PresentedKey::parse(text) {
        assert!(text.starts_with("tg_") && !key.matches(None, &pepper));
    }
    assert!(Claims::read(text, &pepper, NOW).is_none(), "forged");
    if let Ok(Presented::Token(_)) = Presented::read(Some(text), &pepper, NOW) {
        panic!("forged");
    }
    signed(text, &pepper);
}

/// A key is read back, and not with another letter in it.
fn generated(random: &[u8; 52]) {
    let (id, whole) = generate(random);
    assert_eq!(PresentedKey::parse(&whole).map(|key| key.id), Some(id.as_str()));
    let at = usize::from(random[0]) % whole.len();
    let mut misspelt = whole.into_bytes();
    misspelt[at] = if misspelt[at] == b'a' { b'b' } else { b'a' };
    assert!(PresentedKey::parse(&String::from_utf8_lossy(&misspelt)).is_none());
}

fn signed(text: &str, pepper: &Pepper) {
    let claims = Claims {
        id: text.chars().take(20).collect(),
        key_id: "k".to_owned(),
        pepper_version: 1,
        user: text.chars().skip(20).take(200).collect(),
        expires: NOW + Duration::from_secs(60),
        models: Some(text.split(' ').take(20).map(|model| model.chars().take(20).collect()).collect()),
        budget: None,
        requests: i64::try_from(text.len()).ok(),
    };
    let token = claims.sign(pepper);
    assert_eq!(Claims::read(&token, pepper, NOW), Some(claims.clone()));
    assert_eq!(Claims::read(&token, pepper, claims.expires), None);
    let longer = format!("{token}{}", if text.is_empty() { "A" } else { text });
    assert_eq!(Claims::read(&longer, pepper, NOW), None);
}
