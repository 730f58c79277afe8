//! The `alerts` section: what is watched and who is told.

use super::base_url::BaseUrl;
use super::decimal::{MILLIONTHS, NANO};
use super::secret_ref::SecretRef;
use super::section::Section;

pub(super) const KEYS: &[&str] =
    &["p95_ms", "cost_variance", "min_spend_usd", "webhooks", "slack", "pagerduty", "sns"];
pub(super) const WEBHOOK_KEYS: &[&str] = &["url", "secret"];
pub(super) const SLACK_KEYS: &[&str] = &["url"];
pub(super) const PAGERDUTY_KEYS: &[&str] = &["routing_key"];
pub(super) const SNS_KEYS: &[&str] = &["topic_arn"];

/// Limits that raise an alert, and the channels it goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alerts {
    /// Milliseconds of gateway time at the 95th percentile, 1 to 900,000.
    pub p95_ms: u64,
    /// Rise of cost hour over hour, in millionths (200,000 is 20 %), above 0.
    pub cost_variance_ppm: i64,
    /// Nano-dollars an hour must have cost before its rise counts.
    pub min_spend_nano: i64,
    /// Addresses that alerts are posted to.
    pub webhooks: Vec<Webhook>,
    /// Incoming-webhook addresses of Slack.
    pub slack: Vec<BaseUrl>,
    /// Integration keys of PagerDuty services.
    pub pagerduty: Vec<String>,
    /// ARNs of SNS topics.
    pub sns: Vec<String>,
}

/// An address that alerts are posted to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Encrypted unless the host is localhost.
    pub url: BaseUrl,
    /// Signs the body; none is unsigned.
    pub secret: Option<SecretRef>,
}

impl Default for Alerts {
    fn default() -> Alerts {
        Alerts {
            p95_ms: 600,
            cost_variance_ppm: 200_000,
            min_spend_nano: 1_000_000_000,
            webhooks: Vec::new(),
            slack: Vec::new(),
            pagerduty: Vec::new(),
            sns: Vec::new(),
        }
    }
}

impl Alerts {
    pub(super) fn read(section: &Section<'_>) -> Alerts {
        let default = Alerts::default();
        let min_spend = section.decimal("min_spend_usd", NANO);
        Alerts {
            p95_ms: section.number("p95_ms", 1..=900_000, default.p95_ms),
            cost_variance_ppm: read_variance(section).unwrap_or(default.cost_variance_ppm),
            min_spend_nano: min_spend.unwrap_or(default.min_spend_nano),
            webhooks: channels(section, "webhooks", WEBHOOK_KEYS, |channel| {
                let secret = channel.parsed("secret");
                channel_url(channel).map(|url| Webhook { url, secret })
            }),
            slack: channels(section, "slack", SLACK_KEYS, channel_url),
            pagerduty: channels(section, "pagerduty", PAGERDUTY_KEYS, |channel| {
                channel.require("routing_key");
                channel.optional_text("routing_key")
            }),
            sns: channels(section, "sns", SNS_KEYS, topic_arn),
        }
    }
}

fn read_variance(section: &Section<'_>) -> Option<i64> {
    let variance = section.decimal("cost_variance", MILLIONTHS)?;
    if variance == 0 {
        section.refuse("cost_variance", "must be above 0");
    }
    Some(variance)
}

fn channels<T>(
    section: &Section<'_>,
    key: &str,
    keys: &'static [&'static str],
    read: impl Fn(&Section<'_>) -> Option<T>,
) -> Vec<T> {
    let nodes = section.list(key).unwrap_or_default().into_iter();
    let channels = nodes.map(|(path, node)| Section::open(Some(node), &path, keys, section.faults()));
    channels.filter_map(|channel| read(&channel)).collect()
}

/// Alerts may go to a private network: their addresses are the operator's own, and no caller's
/// input reaches them.
fn channel_url(channel: &Section<'_>) -> Option<BaseUrl> {
    channel.require("url");
    let url: BaseUrl = channel.parsed("url")?;
    url.local().map_err(|error| channel.refuse("url", error.to_string())).ok()
}

fn topic_arn(channel: &Section<'_>) -> Option<String> {
    channel.require("topic_arn");
    let arn = channel.optional_text("topic_arn")?;
    if arn.starts_with("arn:") && arn.contains(":sns:") {
        return Some(arn);
    }
    channel.refuse("topic_arn", "must be the ARN of an SNS topic");
    None
}
