//! The `billing` section: caps and thresholds, as whole nano-dollars and whole millionths.
#![deny(clippy::float_arithmetic)]

use super::decimal::{MILLIONTHS, NANO};
use super::section::{Section, decimal_from};

pub(super) const KEYS: &[&str] =
    &["track_tokens", "hard_limit_per_request_usd", "alert_thresholds", "consent_threshold_usd"];

/// One, in millionths.
const WHOLE_PPM: u32 = 1_000_000;

/// What a request may cost, and when spending is announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Billing {
    /// Whether token metrics are shown. Cost is held and settled either way.
    pub track_tokens: bool,
    /// The most one request may cost, in nano-dollars and above 0; none is no limit.
    pub hard_limit_per_request_nano: Option<i64>,
    /// Shares of a budget at which an alert fires, in millionths (800,000 is 80 %), ascending,
    /// each above 0 and at most 1,000,000.
    pub alert_thresholds_ppm: Vec<u32>,
    /// Estimated cost, in nano-dollars and above 0, from which the caller must consent; none is
    /// never.
    pub consent_threshold_nano: Option<i64>,
}

impl Default for Billing {
    fn default() -> Billing {
        Billing {
            track_tokens: true,
            hard_limit_per_request_nano: None,
            alert_thresholds_ppm: vec![500_000, 800_000, WHOLE_PPM],
            consent_threshold_nano: None,
        }
    }
}

impl Billing {
    pub(super) fn read(section: &Section<'_>) -> Billing {
        let default = Billing::default();
        let thresholds = read_thresholds(section);
        Billing {
            track_tokens: section.boolean("track_tokens", default.track_tokens),
            hard_limit_per_request_nano: positive_usd(section, "hard_limit_per_request_usd"),
            alert_thresholds_ppm: thresholds.unwrap_or(default.alert_thresholds_ppm),
            consent_threshold_nano: positive_usd(section, "consent_threshold_usd"),
        }
    }
}

/// An amount above zero. Zero is refused because it reads as "none" to some and as "no limit" to
/// others.
fn positive_usd(section: &Section<'_>, key: &str) -> Option<i64> {
    let nano = section.decimal(key, NANO)?;
    if nano == 0 {
        section.refuse(key, "must be above 0; leave it out for no limit");
        return None;
    }
    Some(nano)
}

fn read_thresholds(section: &Section<'_>) -> Option<Vec<u32>> {
    let mut shares = Vec::new();
    for (path, node) in section.list("alert_thresholds")? {
        let Some(share) = decimal_from(node, &path, MILLIONTHS, section.faults()) else {
            continue;
        };
        match u32::try_from(share) {
            Ok(share) if shares.contains(&share) => section.faults().add(&path, "is given twice"),
            Ok(share @ 1..=WHOLE_PPM) => shares.push(share),
            _ => section.faults().add(&path, "must be above 0 and at most 1"),
        }
    }
    shares.sort_unstable();
    Some(shares)
}
