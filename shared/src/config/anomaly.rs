//! The `alerts.anomaly` section: what an anomaly is, and what is done about it.
#![deny(clippy::float_arithmetic)]

use super::decimal::NANO;
use super::names::named_enum;
use super::section::Section;

pub(super) const KEYS: &[&str] =
    &["mode", "factor", "min_requests", "min_spend_usd", "stop_after_seconds", "cool_down_seconds"];

named_enum! {
    /// What is done about a key that spends unlike itself.
    AnomalyMode {
        /// Nobody looks.
        Off => "off",
        /// The operator is told.
        Observe => "observe",
        /// It is slowed, then stopped, and the operator is told.
        Enforce => "enforce",
    }
}

/// What an anomaly of a key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anomaly {
    pub mode: AnomalyMode,
    /// Times what is to be expected of a key that a minute may reach in any case, 2 to 100.
    pub factor: u32,
    /// Requests in a minute below which they are no anomaly, 1 to 1,000,000.
    pub min_requests: u64,
    /// Nano-dollars in a minute below which cost is no anomaly.
    pub min_spend_nano: i64,
    /// Seconds a slowed key may press on before it is stopped, 60 to 86,400. A key whose time is over before
    /// is not stopped.
    pub stop_after_seconds: u64,
    /// Seconds that a key is slowed, and that it is stopped, 120 to 604,800.
    pub cool_down_seconds: u64,
}

impl Default for Anomaly {
    fn default() -> Anomaly {
        Anomaly {
            mode: AnomalyMode::Observe,
            factor: 3,
            min_requests: 15,
            min_spend_nano: 50_000_000,
            stop_after_seconds: 300,
            cool_down_seconds: 1_800,
        }
    }
}

impl Anomaly {
    pub(super) fn read(section: &Section<'_>) -> Anomaly {
        let default = Anomaly::default();
        Anomaly {
            mode: section.choice("mode", default.mode),
            factor: section.number("factor", 2..=100, default.factor),
            min_requests: section.number("min_requests", 1..=1_000_000, default.min_requests),
            min_spend_nano: section.decimal("min_spend_usd", NANO).unwrap_or(default.min_spend_nano),
            stop_after_seconds: section.number("stop_after_seconds", 60..=86_400, default.stop_after_seconds),
            cool_down_seconds: section.number("cool_down_seconds", 120..=604_800, default.cool_down_seconds),
        }
    }
}
