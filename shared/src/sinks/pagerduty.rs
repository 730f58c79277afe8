//! PagerDuty, Events API v2: one incident for each alert, recognised by its `dedup_key`.

use serde_json::{Map, Value, json};

use super::post;
use crate::config::BaseUrl;
use crate::domain::alert::{Alert, Severity, Telling};

/// PagerDuty cuts a longer summary off.
const SUMMARY_MAX: usize = 1_024;

pub(super) fn request(
    url: &BaseUrl,
    routing_key: &str,
    alert: &Alert,
    telling: Telling,
) -> Result<http::Request<String>, String> {
    post(url.as_str(), &event(routing_key, alert, telling))
}

fn event(routing_key: &str, alert: &Alert, telling: Telling) -> Value {
    let id = alert.id.as_str();
    match telling {
        Telling::Cleared => json!({ "routing_key": routing_key, "event_action": "resolve", "dedup_key": id }),
        Telling::Raised => {
            let severity = match alert.severity {
                Severity::Info => "info",
                Severity::Warning => "warning",
                Severity::Critical => "critical",
            };
            let facts =
                alert.facts().into_iter().map(|(name, value)| (name.to_owned(), Value::String(value)));
            let summary: String = alert.title().chars().take(SUMMARY_MAX).collect();
            json!({
                "routing_key": routing_key,
                "event_action": "trigger",
                "dedup_key": id,
                "client": "Tollgate",
                "payload": {
                    "summary": summary,
                    "source": alert.tenant.as_deref().unwrap_or("tollgate"),
                    "severity": severity,
                    "timestamp": alert.at.rfc3339(),
                    "custom_details": facts.collect::<Map<_, _>>(),
                },
            })
        }
    }
}
