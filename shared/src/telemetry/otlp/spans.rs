//! A request as the spans of a trace: itself, its steps, and its calls of providers.

use std::time::Duration;

use serde_json::{Value, json};

use super::json::{boolean, int, scope, text, texts};
use crate::domain::event::{Attempt, Operation, RequestEvent, Step, Tracing};
use crate::domain::notes::Fault;
use crate::domain::trace::SpanId;
use crate::telemetry::names::provider_name;

const INTERNAL: u8 = 1;
const SERVER: u8 = 2;
const CLIENT: u8 = 3;
const ERROR: u8 = 2;

/// The request of an exporter, or none where no event is to be exported.
pub(super) fn request(events: &[RequestEvent], resource: &[Value], tokens: bool) -> Option<Value> {
    let kept = events.iter().filter_map(|event| Some((event, event.trace.as_ref()?)));
    // What the ratio left out is told all the same where it failed.
    let kept = kept.filter(|(event, trace)| trace.is_sampled || event.is_failed());
    let spans: Vec<Value> = kept.flat_map(|(event, trace)| spans(event, trace, tokens)).collect();
    (!spans.is_empty()).then(|| {
        let scoped = json!([{ "scope": scope(), "spans": spans }]);
        json!({ "resourceSpans": [{ "resource": { "attributes": resource }, "scopeSpans": scoped }] })
    })
}

fn spans(event: &RequestEvent, trace: &Tracing, tokens: bool) -> Vec<Value> {
    let mut spans = vec![whole(event, trace, tokens)];
    let numbered = (1..).zip(&event.steps);
    spans.extend(numbered.map(|(number, step)| piece(event, trace, step, trace.span.child(number))));
    let attempts = event.attempts.iter().map(|attempt| (event.operation, attempt));
    let lookups = event.lookups.iter().map(|lookup| (Operation::Embeddings, lookup));
    spans.extend(attempts.chain(lookups).filter_map(|of| call(event, trace, of, tokens)));
    spans
}

fn span(
    event: &RequestEvent,
    trace: &Tracing,
    id: SpanId,
    name: &str,
    (from, to): (Duration, Duration),
) -> Value {
    let nanos = |since: Duration| {
        let at = u128::try_from(event.at.millis()).unwrap_or(0) * 1_000_000 + since.as_nanos();
        at.to_string()
    };
    json!({
        "traceId": trace.trace.to_string(), "spanId": id.to_string(), "name": name,
        "startTimeUnixNano": nanos(from), "endTimeUnixNano": nanos(to),
    })
}

fn whole(event: &RequestEvent, trace: &Tracing, tokens: bool) -> Value {
    let name = format!("POST {}", event.route);
    let mut span = span(event, trace, trace.span, &name, (Duration::ZERO, event.whole));
    let mut attributes = vec![
        text("http.request.method", "POST"),
        text("http.route", event.route),
        int("http.response.status_code", u64::from(event.status)),
        text("gen_ai.operation.name", event.operation.name()),
        text("tollgate.request.id", &event.request.to_string()),
        boolean("tollgate.streams", event.streams),
        text("tollgate.cost_usd", &event.cost.to_string()),
    ];
    let mut put = |key: &str, value: Option<&str>| attributes.extend(value.map(|value| text(key, value)));
    put("gen_ai.request.model", event.requested.as_ref().map(|model| model.name.as_str()));
    put("tollgate.served_by", event.served_by.as_deref());
    put("tollgate.tenant", event.tenant.as_deref());
    put("tollgate.key.id", event.key.as_deref());
    put("tollgate.cache.detail", event.cache_detail.as_deref());
    put("error.type", event.error);
    let cache = event.cache.and_then(|cache| serde_json::to_value(cache).ok());
    put("tollgate.cache", cache.as_ref().and_then(Value::as_str));
    if tokens {
        attributes.push(int("gen_ai.usage.input_tokens", event.usage.input()));
        attributes.push(int("gen_ai.usage.output_tokens", event.usage.output));
    }
    (span["kind"], span["attributes"]) = (json!(SERVER), json!(attributes));
    if let Some(parent) = &trace.parent {
        span["parentSpanId"] = json!(parent.parent.to_string());
        if let Some(state) = &parent.state {
            span["traceState"] = json!(state);
        }
    }
    if event.is_failed() {
        span["status"] = json!({ "code": ERROR });
    }
    span
}

fn piece(event: &RequestEvent, trace: &Tracing, step: &Step, id: SpanId) -> Value {
    let mut span = span(event, trace, id, step.name, (step.from, step.to));
    (span["kind"], span["parentSpanId"]) = (json!(INTERNAL), json!(trace.span.to_string()));
    span
}

fn call(
    event: &RequestEvent,
    trace: &Tracing,
    (operation, attempt): (Operation, &Attempt),
    tokens: bool,
) -> Option<Value> {
    let (operation, model) = (operation.name(), attempt.model.name.model());
    let mut span =
        span(event, trace, attempt.span?, &format!("{operation} {model}"), (attempt.from, attempt.to));
    let mut attributes = vec![
        text("gen_ai.operation.name", operation),
        text("gen_ai.provider.name", provider_name(attempt.model.provider())),
        text("gen_ai.request.model", model),
    ];
    attributes.extend(attempt.answered_as.as_deref().map(|model| text("gen_ai.response.model", model)));
    if !attempt.finish.is_empty() {
        attributes.push(texts("gen_ai.response.finish_reasons", &attempt.finish));
    }
    if tokens {
        attributes.push(int("gen_ai.usage.input_tokens", attempt.usage.input()));
        attributes.push(int("gen_ai.usage.output_tokens", attempt.usage.output));
        attributes.push(int("gen_ai.usage.cache_read.input_tokens", attempt.usage.cache_read));
    }
    if let Some(fault) = &attempt.fault {
        attributes.push(text("error.type", &error_type(fault)));
        attributes.extend(fault.status.map(|status| int("http.response.status_code", u64::from(status))));
        span["status"] = json!({ "code": ERROR });
    }
    (span["kind"], span["attributes"]) = (json!(CLIENT), json!(attributes));
    span["parentSpanId"] = json!(trace.span.to_string());
    Some(span)
}

/// The status where there is one, as the conventions ask, else the kind.
pub(super) fn error_type(fault: &Fault) -> String {
    let kind = || serde_json::to_value(fault.kind).ok()?.as_str().map(str::to_owned);
    match fault.status {
        Some(status) => status.to_string(),
        None => kind().unwrap_or_else(|| "_OTHER".to_owned()),
    }
}
