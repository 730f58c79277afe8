//! The `alerts` section: what is watched and who is told.

use super::decimal::{MILLIONTHS, NANO};
use super::section::Section;
use super::sinks::{self, PagerDuty, QuietHours, Slack, Sns, Webhook};

pub(super) const KEYS: &[&str] = &[
    "p95_ms",
    "fallback_rate",
    "cost_variance",
    "min_spend_usd",
    "quiet_hours",
    "webhooks",
    "slack",
    "pagerduty",
    "sns",
];

/// Limits that raise an alert, and the channels it goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alerts {
    /// Milliseconds of gateway time at the 95th percentile, 1 to 900,000.
    pub p95_ms: u64,
    /// Share of requests that may need a fallback, in millionths, 1 to 1,000,000.
    pub fallback_rate_ppm: u32,
    /// Rise of cost hour over hour, in millionths (200,000 is 20 %), above 0.
    pub cost_variance_ppm: i64,
    /// Nano-dollars an hour must have cost before its rise counts.
    pub min_spend_nano: i64,
    /// When nothing but what is critical is told.
    pub quiet_hours: Vec<QuietHours>,
    /// Addresses that alerts are posted to.
    pub webhooks: Vec<Webhook>,
    /// Channels of Slack.
    pub slack: Vec<Slack>,
    /// Services of PagerDuty.
    pub pagerduty: Vec<PagerDuty>,
    /// SNS topics.
    pub sns: Vec<Sns>,
}

impl Default for Alerts {
    fn default() -> Alerts {
        Alerts {
            p95_ms: 600,
            fallback_rate_ppm: 200_000,
            cost_variance_ppm: 200_000,
            min_spend_nano: 1_000_000_000,
            quiet_hours: Vec::new(),
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
            fallback_rate_ppm: read_rate(section).unwrap_or(default.fallback_rate_ppm),
            cost_variance_ppm: read_variance(section).unwrap_or(default.cost_variance_ppm),
            min_spend_nano: min_spend.unwrap_or(default.min_spend_nano),
            quiet_hours: sinks::each(section, "quiet_hours", sinks::QUIET_KEYS, QuietHours::read),
            webhooks: sinks::each(section, "webhooks", sinks::WEBHOOK_KEYS, Webhook::read),
            slack: sinks::each(section, "slack", sinks::SLACK_KEYS, Slack::read),
            pagerduty: sinks::each(section, "pagerduty", sinks::PAGERDUTY_KEYS, PagerDuty::read),
            sns: sinks::each(section, "sns", sinks::SNS_KEYS, Sns::read),
        }
    }
}

fn read_rate(section: &Section<'_>) -> Option<u32> {
    let rate = u32::try_from(section.decimal("fallback_rate", MILLIONTHS)?).ok();
    let rate = rate.filter(|rate| (1..=1_000_000).contains(rate));
    if rate.is_none() {
        section.refuse("fallback_rate", "must be above 0 and at most 1");
    }
    rate
}

fn read_variance(section: &Section<'_>) -> Option<i64> {
    let variance = section.decimal("cost_variance", MILLIONTHS)?;
    if variance == 0 {
        section.refuse("cost_variance", "must be above 0");
    }
    Some(variance)
}
