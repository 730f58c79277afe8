//! Requests as stock clients send them, written for every provider.

use serde_json::{Map, Value, json};
use shared::protocol::dialect::Dialect;
use shared::protocol::fields::BadRequest;
use shared::protocol::inbound::Inbound;
use shared::protocol::support;

use super::corpus::{Case, files, root};
use super::dialects::{INBOUND, TARGETS};
use super::layout::pretty;
use super::snapshot::{Sections, Snapshots};

pub(crate) fn cases(dialect: &str) -> Vec<Case> {
    files(&root().join("requests").join(dialect), "json")
}

pub(crate) fn body(case: &Case) -> Map<String, Value> {
    case.json().as_object().cloned().expect("a body is an object")
}

/// What only the gateway uses of the request.
fn inbound(inbound: &Inbound) -> Value {
    let request = &inbound.request;
    let mut out = json!({
        "model": inbound.model, "stream": inbound.stream, "include_usage": inbound.include_usage,
        "max_output_tokens": request.max_output_tokens, "n": request.choices, "user": request.user,
    });
    if !request.unlisted.is_empty() {
        out["unlisted"] = request.unlisted.keys().cloned().collect();
    }
    if !inbound.echo.is_empty() {
        out["echo"] = Value::Object(inbound.echo.clone());
    }
    out
}

fn translate(read: Result<Inbound, BadRequest>) -> Sections {
    let mut sections = Sections::default();
    let refused = |param: &str, why: &str| format!("refused: {param}: {why}");
    let read = match read {
        Ok(read) => read,
        Err(fault) => {
            sections.push("read", &refused(&fault.param, &fault.message));
            return sections;
        }
    };
    sections.push("read", &pretty(&inbound(&read)));
    for target in TARGETS {
        let text = match support::check(&read.request, target.outbound, target.model) {
            Ok(()) => pretty(&target.body(&read.request)),
            Err(fault) => refused(&fault.param, fault.why),
        };
        sections.push(&format!("{}: {}", target.name, target.model), &text);
    }
    sections
}

fn hold(name: &str, dialect: Dialect) {
    let mut snapshots = Snapshots::of(&format!("requests/{name}"));
    for case in cases(name) {
        snapshots.check(&case.name, &translate(dialect.read(body(&case))));
    }
    snapshots.finish();
}

#[test]
fn requests_reach_each_provider_as_reviewed() {
    for (name, dialect) in INBOUND {
        hold(name, *dialect);
    }
}
