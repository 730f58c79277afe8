//! The metrics: one table of what is told under which name. Alarms, dashboard and exporters read it.
//!
//! GenAI names: OpenTelemetry semantic conventions for generative AI as of 2026-11, status
//! Development. The gateway is the client of its providers, so its calls are told under the client's
//! names; the server's names are for whoever runs the model.

use crate::config::Metric;
use crate::domain::event::RequestEvent;

/// Of CloudWatch.
pub const NAMESPACE: &str = "Tollgate";
/// The dimension sets of the gateway's own metrics: all requests together, and by model.
pub const DIMENSIONS: [&[&str]; 2] = [&[], &["provider", "model"]];
/// The dimension set of the GenAI metrics.
pub const GENAI_DIMENSIONS: [&str; 2] = ["gen_ai.provider.name", "gen_ai.request.model"];

pub const REQUEST_DURATION: &str = "llm.request.duration";
pub const TOKEN_COUNT: &str = "llm.token.count";
pub const CACHE_HIT_RATIO: &str = "cache.hit_ratio";
pub const FALLBACK_RATE: &str = "fallback.trigger_rate";
pub const GATEWAY_DURATION: &str = "tollgate.gateway.duration";
pub const ERROR_RATE: &str = "tollgate.error.rate";
/// Filtered from the log of `alerts`, without dimensions: holds that nobody settled.
pub const HOLDS_SWEPT: &str = "tollgate.holds.swept";
pub const OPERATION_DURATION: &str = "gen_ai.client.operation.duration";
pub const TOKEN_USAGE: &str = "gen_ai.client.token.usage";
pub const FIRST_CHUNK: &str = "gen_ai.client.operation.time_to_first_chunk";

/// A metric of every request that has a value for it.
pub struct Figure {
    pub name: &'static str,
    /// As CloudWatch spells it.
    pub unit: &'static str,
    /// As UCUM spells it.
    pub ucum: &'static str,
    /// Upper bounds of a histogram's buckets.
    pub bounds: &'static [f64],
    /// Which switch turns it off, if any does.
    pub switch: Option<Metric>,
    pub value: fn(&RequestEvent) -> Option<f64>,
}

const MILLIS: &[f64] = &[
    1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 600.0, 1_000.0, 2_500.0, 5_000.0, 10_000.0, 30_000.0,
    60_000.0,
];
/// A rate is the mean of what is 0 or 1 for each request.
const EITHER: &[f64] = &[0.0];
/// The conventions advise these.
pub(super) const SECONDS: &[f64] =
    &[0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
pub(super) const TOKENS: &[f64] = &[
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];

pub const FIGURES: &[Figure] = &[
    Figure {
        name: REQUEST_DURATION,
        unit: "Milliseconds",
        ucum: "ms",
        bounds: MILLIS,
        switch: Some(Metric::RequestDuration),
        value: |event| Some(event.duration().as_micros() as f64 / 1e3),
    },
    Figure {
        name: GATEWAY_DURATION,
        unit: "Milliseconds",
        ucum: "ms",
        bounds: MILLIS,
        switch: None,
        value: |event| Some(event.gateway().as_micros() as f64 / 1e3),
    },
    Figure {
        name: TOKEN_COUNT,
        unit: "Count",
        ucum: "{token}",
        bounds: TOKENS,
        switch: Some(Metric::TokenCount),
        value: |event| event.is_served().then(|| event.usage.total() as f64),
    },
    Figure {
        name: CACHE_HIT_RATIO,
        unit: "None",
        ucum: "1",
        bounds: EITHER,
        switch: Some(Metric::CacheHitRatio),
        value: |event| event.is_hit().map(either),
    },
    Figure {
        name: FALLBACK_RATE,
        unit: "None",
        ucum: "1",
        bounds: EITHER,
        switch: Some(Metric::FallbackTriggerRate),
        value: |event| event.fell_back().map(either),
    },
    Figure {
        name: ERROR_RATE,
        unit: "None",
        ucum: "1",
        bounds: EITHER,
        switch: None,
        value: |event| Some(either(event.is_failed())),
    },
];

fn either(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}

/// Which metrics the operator wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switches {
    pub metrics: Vec<Metric>,
    /// False hides everything about tokens.
    pub tokens: bool,
}

impl Switches {
    pub fn tells(&self, figure: &Figure) -> bool {
        figure.switch.is_none_or(|metric| self.wants(metric))
    }

    /// Of the GenAI names each goes with its like.
    pub fn wants(&self, metric: Metric) -> bool {
        self.metrics.contains(&metric) && (metric != Metric::TokenCount || self.tokens)
    }
}

/// A provider as the conventions name it.
pub(super) fn provider_name(provider: &str) -> &str {
    match provider {
        "bedrock" => "aws.bedrock",
        "google" | "gemini" => "gcp.gemini",
        "mistral" => "mistral_ai",
        "xai" => "x_ai",
        other => other,
    }
}
