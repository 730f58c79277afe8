//! The wide event as CloudWatch's embedded metric format: one JSON line, of which CloudWatch takes the
//! metrics while the whole of it stays searchable in the log. Ids are members and never dimensions,
//! since every set of dimensions is a metric that is paid for.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::names::{
    DIMENSIONS, FIGURES, GENAI_DIMENSIONS, NAMESPACE, OPERATION_DURATION, Switches, TOKEN_USAGE,
    provider_name,
};
use crate::config::Metric;
use crate::domain::event::RequestEvent;
use crate::domain::time::Timestamp;

/// The event as a document.
pub fn document(event: &RequestEvent, switches: &Switches) -> Value {
    let mut members = members(event, switches);
    let mut directives = vec![own(event, switches, &mut members)];
    directives.extend(genai(event, switches, &mut members));
    told(event.at, directives, members)
}

fn told(at: Timestamp, directives: Vec<Value>, members: Map<String, Value>) -> Value {
    let mut document = Map::new();
    document.insert("_aws".to_owned(), json!({ "Timestamp": at.millis(), "CloudWatchMetrics": directives }));
    document.extend(members);
    Value::Object(document)
}

/// The gateway's own metrics.
fn own(event: &RequestEvent, switches: &Switches, members: &mut Map<String, Value>) -> Value {
    let mut metrics = Vec::new();
    for figure in FIGURES.iter().filter(|figure| switches.tells(figure)) {
        if let Some(value) = (figure.value)(event) {
            metrics.push(json!({ "Name": figure.name, "Unit": figure.unit }));
            members.insert(figure.name.to_owned(), json!(value));
        }
    }
    let mut dimensions = vec![DIMENSIONS[0]];
    if let Some(model) = event.model() {
        dimensions.push(DIMENSIONS[1]);
        members.insert("provider".to_owned(), json!(model.provider()));
        members.insert("model".to_owned(), json!(model.row()));
    }
    json!({ "Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": metrics })
}

/// The metrics of the last call of a provider, under the names of OpenTelemetry. The tokens are two
/// values, of input and output: a line has one value a name, so it cannot tell them by a dimension.
fn genai(event: &RequestEvent, switches: &Switches, members: &mut Map<String, Value>) -> Option<Value> {
    let last = event.attempts.last()?;
    let mut metrics = Vec::new();
    if switches.wants(Metric::RequestDuration) {
        metrics.push(json!({ "Name": OPERATION_DURATION, "Unit": "Seconds" }));
        members.insert(OPERATION_DURATION.to_owned(), json!(seconds(last.to.saturating_sub(last.from))));
    }
    if switches.wants(Metric::TokenCount) && last.fault.is_none() {
        metrics.push(json!({ "Name": TOKEN_USAGE, "Unit": "Count" }));
        members.insert(TOKEN_USAGE.to_owned(), json!([last.usage.input(), last.usage.output]));
    }
    members.insert(GENAI_DIMENSIONS[0].to_owned(), json!(provider_name(last.model.provider())));
    members.insert(GENAI_DIMENSIONS[1].to_owned(), json!(last.model.row()));
    let directive = json!({ "Namespace": NAMESPACE, "Dimensions": [GENAI_DIMENSIONS], "Metrics": metrics });
    (!metrics.is_empty()).then_some(directive)
}

/// What is searched for and never counted by.
fn members(event: &RequestEvent, switches: &Switches) -> Map<String, Value> {
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            members.insert(name.to_owned(), value);
        }
    };
    put("request_id", json!(event.request));
    put("route", json!(event.route));
    put("gen_ai.operation.name", json!(event.operation.name()));
    put("tenant", json!(event.tenant));
    put("key_id", json!(event.key));
    put("streams", json!(event.streams));
    put("status", json!(event.status));
    put("error", json!(event.error));
    put("cache", json!(event.cache));
    put("cache_detail", json!(event.cache_detail));
    put("requested", json!(event.requested.as_ref().map(|model| model.name.as_str())));
    put("served_by", json!(event.served_by));
    put("attempts", json!(event.attempts.len()));
    put("cost_usd", json!(event.cost.to_string()));
    put("trace_id", json!(event.trace.as_ref().map(|trace| trace.trace.to_string())));
    if switches.tokens {
        put("gen_ai.usage.input_tokens", json!(event.usage.input()));
        put("gen_ai.usage.output_tokens", json!(event.usage.output));
    }
    let faults: Vec<_> = event.attempts.iter().filter_map(|attempt| attempt.fault).collect();
    if !faults.is_empty() {
        put("faults", json!(faults));
    }
    let steps = event
        .steps
        .iter()
        .map(|step| json!({ "name": step.name, "ms": millis(step.to.saturating_sub(step.from)) }));
    put("steps", steps.collect());
    members
}

fn millis(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1e3
}

fn seconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1e6
}
