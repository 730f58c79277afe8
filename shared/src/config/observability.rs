//! The `observability` section: what the gateway tells about itself.

use super::names::named_enum;
use super::section::{Section, choice_from};

pub(super) const KEYS: &[&str] = &["otel_enabled", "metrics", "log_level"];

named_enum! {
    /// A metric that can be switched on.
    Metric {
        /// Milliseconds from request to the end of the answer.
        RequestDuration => "llm.request.duration",
        /// Tokens in and out.
        TokenCount => "llm.token.count",
        /// Share of requests answered from the cache.
        CacheHitRatio => "cache.hit_ratio",
        /// Share of requests that needed a fallback.
        FallbackTriggerRate => "fallback.trigger_rate",
    }
}

named_enum! {
    /// The least grave log line that is written.
    LogLevel {
        /// Only what failed.
        Error => "error",
        /// And what is about to.
        Warn => "warn",
        /// And what was done.
        Info => "info",
        /// And how.
        Debug => "debug",
        /// And every step.
        Trace => "trace",
    }
}

/// Metrics, traces and logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observability {
    /// Whether OpenTelemetry is exported where an OTLP endpoint is set in the environment.
    pub otel_enabled: bool,
    /// The metrics that are written, none twice.
    pub metrics: Vec<Metric>,
    /// The least grave line that is logged.
    pub log_level: LogLevel,
}

impl Default for Observability {
    fn default() -> Observability {
        Observability {
            otel_enabled: true,
            metrics: vec![
                Metric::RequestDuration,
                Metric::TokenCount,
                Metric::CacheHitRatio,
                Metric::FallbackTriggerRate,
            ],
            log_level: LogLevel::Info,
        }
    }
}

impl Observability {
    pub(super) fn read(section: &Section<'_>) -> Observability {
        let default = Observability::default();
        Observability {
            otel_enabled: section.boolean("otel_enabled", default.otel_enabled),
            metrics: read_metrics(section).unwrap_or(default.metrics),
            log_level: section.choice("log_level", default.log_level),
        }
    }
}

fn read_metrics(section: &Section<'_>) -> Option<Vec<Metric>> {
    let mut metrics = Vec::new();
    for (path, node) in section.list("metrics")? {
        match choice_from(node, &path, section.faults()) {
            Some(metric) if metrics.contains(&metric) => {
                section.faults().add(&path, "is given twice");
            }
            Some(metric) => metrics.push(metric),
            None => {}
        }
    }
    Some(metrics)
}
