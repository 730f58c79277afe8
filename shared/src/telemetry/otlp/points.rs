//! Requests as metrics: histograms of what came since they were last sent, since instances come and go
//! and nobody could tell whose sums these were.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::json::{scope, text};
use super::spans::error_type;
use crate::config::Metric;
use crate::domain::event::{Attempt, Operation, RequestEvent};
use crate::telemetry::names::{
    FIGURES, FIRST_CHUNK, OPERATION_DURATION, SECONDS, Switches, TOKEN_USAGE, TOKENS, provider_name,
};

const DELTA: u8 = 1;

/// What is counted together.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Series {
    name: &'static str,
    unit: &'static str,
    attributes: Vec<(&'static str, String)>,
}

struct Histogram {
    bounds: &'static [f64],
    counts: Vec<u64>,
    sum: f64,
}

impl Histogram {
    fn add(&mut self, value: f64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
        self.sum += value;
    }
}

#[derive(Default)]
struct Points(BTreeMap<Series, Histogram>);

impl Points {
    fn add(&mut self, series: Series, bounds: &'static [f64], value: f64) {
        let empty = || Histogram { bounds, counts: vec![0; bounds.len() + 1], sum: 0.0 };
        self.0.entry(series).or_insert_with(empty).add(value);
    }
}

/// The request of an exporter.
pub(super) fn request(events: &[RequestEvent], resource: &[Value], switches: &Switches) -> Option<Value> {
    let mut points = Points::default();
    for event in events {
        own(event, switches, &mut points);
        for attempt in &event.attempts {
            genai((event.operation, event.streams), attempt, switches, &mut points);
        }
        for lookup in &event.lookups {
            genai((Operation::Embeddings, false), lookup, switches, &mut points);
        }
    }
    let from = events.iter().map(|event| event.at.millis()).min()?;
    let end =
        |event: &RequestEvent| event.at.millis() + i64::try_from(event.whole.as_millis()).unwrap_or(0) + 1;
    let until = events.iter().map(end).max()?;
    let metrics: Vec<Value> =
        points.0.iter().map(|(series, held)| metric(series, held, from, until)).collect();
    (!metrics.is_empty()).then(|| {
        let scoped = json!([{ "scope": scope(), "metrics": metrics }]);
        json!({ "resourceMetrics": [{ "resource": { "attributes": resource }, "scopeMetrics": scoped }] })
    })
}

fn own(event: &RequestEvent, switches: &Switches, points: &mut Points) {
    for figure in FIGURES.iter().filter(|figure| switches.tells(figure)) {
        if let Some(value) = (figure.value)(event) {
            let model = event.model();
            let attributes = model.map(|model| {
                vec![("provider", model.provider().to_owned()), ("model", model.row().to_owned())]
            });
            let attributes = attributes.unwrap_or_default();
            points.add(Series { name: figure.name, unit: figure.ucum, attributes }, figure.bounds, value);
        }
    }
}

fn genai(
    (operation, streams): (Operation, bool),
    attempt: &Attempt,
    switches: &Switches,
    points: &mut Points,
) {
    let base = || {
        vec![
            ("gen_ai.operation.name", operation.name().to_owned()),
            ("gen_ai.provider.name", provider_name(attempt.model.provider()).to_owned()),
            ("gen_ai.request.model", attempt.model.row().to_owned()),
        ]
    };
    let seconds = |duration: Duration| duration.as_micros() as f64 / 1e6;
    if switches.wants(Metric::RequestDuration) {
        let mut attributes = base();
        attributes.extend(attempt.fault.as_ref().map(|fault| ("error.type", error_type(fault))));
        let took = seconds(attempt.to.saturating_sub(attempt.from));
        points.add(Series { name: OPERATION_DURATION, unit: "s", attributes }, SECONDS, took);
        if let Some(first) = attempt.first_token.filter(|_| streams) {
            points.add(Series { name: FIRST_CHUNK, unit: "s", attributes: base() }, SECONDS, seconds(first));
        }
    }
    if switches.wants(Metric::TokenCount) && attempt.fault.is_none() {
        for (kind, tokens) in [("input", attempt.usage.input()), ("output", attempt.usage.output)] {
            let mut attributes = base();
            attributes.push(("gen_ai.token.type", kind.to_owned()));
            points.add(Series { name: TOKEN_USAGE, unit: "{token}", attributes }, TOKENS, tokens as f64);
        }
    }
}

fn metric(series: &Series, held: &Histogram, from: i64, until: i64) -> Value {
    let nanos = |millis: i64| format!("{millis}000000");
    let count: u64 = held.counts.iter().sum();
    let attributes: Vec<Value> = series.attributes.iter().map(|(key, value)| text(key, value)).collect();
    let counts: Vec<String> = held.counts.iter().map(u64::to_string).collect();
    let point = json!({
        "attributes": attributes, "startTimeUnixNano": nanos(from), "timeUnixNano": nanos(until),
        "count": count.to_string(), "sum": held.sum, "bucketCounts": counts, "explicitBounds": held.bounds,
    });
    let histogram = json!({ "aggregationTemporality": DELTA, "dataPoints": [point] });
    json!({ "name": series.name, "unit": series.unit, "histogram": histogram })
}
