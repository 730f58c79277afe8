//! Slack: an incoming webhook takes a message of blocks, and a text for notifications.

use serde_json::{Value, json};

use super::post;
use crate::config::BaseUrl;
use crate::domain::alert::{Alert, Severity, Telling};

/// Slack refuses longer texts in a header and in a field.
const HEADER_MAX: usize = 150;
const FIELD_MAX: usize = 2_000;
/// Fields that a section holds.
const FIELDS_MAX: usize = 10;

pub(super) fn request(
    url: &BaseUrl,
    alert: &Alert,
    telling: Telling,
) -> Result<http::Request<String>, String> {
    post(url.as_str(), &message(alert, telling))
}

fn message(alert: &Alert, telling: Telling) -> Value {
    let title = alert.title();
    let title = match telling {
        Telling::Raised => format!("{} {title}", mark(alert.severity)),
        Telling::Cleared => format!("Over: {title}"),
    };
    let facts = alert.facts().into_iter().take(FIELDS_MAX);
    let fields: Vec<Value> = facts
        .map(|(name, value)| json!({ "type": "mrkdwn", "text": cut(&format!("*{name}*\n{}", escaped(&value)), FIELD_MAX) }))
        .collect();
    let mut blocks =
        vec![json!({ "type": "header", "text": { "type": "plain_text", "text": cut(&title, HEADER_MAX) } })];
    if !fields.is_empty() {
        blocks.push(json!({ "type": "section", "fields": fields }));
    }
    let note = format!("{} \u{b7} {}", alert.at.rfc3339(), alert.id.as_str());
    blocks.push(json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": note }] }));
    json!({ "text": escaped(&title), "blocks": blocks })
}

fn mark(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "Info:",
        Severity::Warning => "Warning:",
        Severity::Critical => "Critical:",
    }
}

/// The three characters that mean something in Slack's markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}
