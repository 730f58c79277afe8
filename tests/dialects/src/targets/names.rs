//! Short texts with a form: models, amounts, images, keys of repeated requests.

use shared::app::idempotent::IdempotencyKey;
use shared::config::ModelName;
use shared::domain::money::NanoUsd;
use shared::protocol::claude::Claude;
use shared::protocol::data_url::DataUrl;

/// What is read is written back as it was, or as what it means.
pub(super) fn target(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(name) = text.parse::<ModelName>() {
        assert_eq!(format!("{}/{}", name.provider(), name.model()), name.as_str());
        assert_eq!(ModelName::qualified(name.as_str()), Ok(name.clone()));
        assert!(!name.as_str().contains("..") || !name.as_str().split('/').any(|part| part == ".."));
    }
    let claude = Claude::named(text);
    assert_eq!(claude.is_claude(), text.contains("claude-"));
    if let Ok(amount) = text.parse::<NanoUsd>() {
        assert_eq!(amount.to_string().parse(), Ok(amount));
    }
    if let Some(DataUrl { media_type, base64 }) = DataUrl::parse(text) {
        assert_eq!(format!("data:{media_type};base64,{base64}"), text);
    }
    if let Err(fault) = IdempotencyKey::new(text, "/v1/chat", data) {
        assert!(!fault.message.is_empty());
    }
}
