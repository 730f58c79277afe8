//! Alerts in words, for people.

use super::{About, Alert, BudgetAt, ThrottleAction};
use crate::domain::time::Timestamp;

impl Alert {
    /// One line, at most 200 characters where names are of usual length.
    pub fn title(&self) -> String {
        match &self.about {
            About::Budget { budget, refused: true, threshold_ppm: 1_000_000.., .. } => {
                format!("Budget of {} refuses requests", named(budget))
            }
            About::Budget { budget, threshold_ppm, .. } => {
                format!("Budget of {} has come to {}", named(budget), percent(*threshold_ppm))
            }
            About::Forecast { budget, ends_at, .. } => {
                format!("Budget of {} will be spent by {}", named(budget), ends_at.rfc3339())
            }
            About::CostVariance { hour, .. } => {
                let whose =
                    self.tenant.as_ref().map_or(String::new(), |tenant| format!(" of tenant {tenant}"));
                format!("Cost{whose} rose in the hour from {}", Timestamp::of_hour(*hour).rfc3339())
            }
            About::GatewayLatency { p95_ms, .. } => format!("Gateway time at p95 is {p95_ms} ms"),
            About::FallbackRate { rate_ppm, .. } => {
                format!("{} of requests needed a fallback", percent(*rate_ppm))
            }
            About::DeadLetters { queue, waiting } => format!("{waiting} dead letters wait in {queue}"),
            About::Sweeps { estimated, failed } => {
                format!("The sweep ended {estimated} holds that nobody had settled, {failed} failed")
            }
            About::Anomaly { key, action, .. } => format!("Key {key} {}", done(*action)),
        }
    }

    /// The figures that it rests on, by what they are called.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let dollars = |amount: &dyn std::fmt::Display| format!("${amount}");
        let mut facts = match &self.about {
            About::Budget { budget, spent_usd, held_usd, .. } => vec![
                ("Spent", dollars(spent_usd)),
                ("Held", dollars(held_usd)),
                ("Cap", dollars(&budget.cap_usd)),
                ("Resets", resets(budget)),
            ],
            About::Forecast { budget, spent_usd, .. } => vec![
                ("Spent", dollars(spent_usd)),
                ("Cap", dollars(&budget.cap_usd)),
                ("Resets", resets(budget)),
            ],
            About::CostVariance { cost_usd, compared_hour, compared_usd, .. } => vec![
                ("Cost", dollars(cost_usd)),
                ("Compared with", Timestamp::of_hour(*compared_hour).rfc3339()),
                ("Cost then", dollars(compared_usd)),
            ],
            About::GatewayLatency { limit_ms, .. } => vec![("Limit", format!("{limit_ms} ms"))],
            About::FallbackRate { limit_ppm, .. } => vec![("Limit", percent(*limit_ppm))],
            About::DeadLetters { .. } | About::Sweeps { .. } => Vec::new(),
            About::Anomaly { evidence, .. } => vec![
                ("Spent", dollars(&evidence.spent_usd)),
                ("Expected at most", dollars(&evidence.expected_usd)),
                ("In", format!("{} s", evidence.window_seconds)),
                ("Requests", evidence.requests.to_string()),
            ],
        };
        if let Some(tenant) = &self.tenant {
            facts.push(("Tenant", tenant.clone()));
        }
        facts
    }
}

fn named(budget: &BudgetAt) -> String {
    format!("{} {} ({})", budget.scope, budget.id, budget.period.replacen('#', " ", 1))
}

fn resets(budget: &BudgetAt) -> String {
    budget.resets_at.map_or_else(|| "never".to_owned(), Timestamp::rfc3339)
}

/// In hundredths, with as many places as are not zero.
fn percent(ppm: u32) -> String {
    let (whole, rest) = (ppm / 10_000, ppm % 10_000);
    let digits = format!("{whole}.{rest:04}");
    format!("{} %", digits.trim_end_matches('0').trim_end_matches('.'))
}

fn done(action: ThrottleAction) -> &'static str {
    match action {
        ThrottleAction::Observed => "spends unlike itself",
        ThrottleAction::Slowed => "spends unlike itself and is slowed",
        ThrottleAction::Stopped => "spends unlike itself and is stopped",
        ThrottleAction::Released => "is released",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_told_without_needless_places() {
        let told = [500_000, 1_000_000, 12_345, 825_000, 1].map(percent);
        assert_eq!(told, ["50 %", "100 %", "1.2345 %", "82.5 %", "0.0001 %"]);
    }
}
