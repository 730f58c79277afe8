//! The readers of requests, and the writers of whatever they read.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use shared::domain::bound::RequestSize;
use shared::protocol::canonical::ChatRequest;
use shared::protocol::dialect::Dialect;
use shared::protocol::fields::BadRequest;
use shared::protocol::inbound::Inbound;
use shared::protocol::json::parse_object;
use shared::protocol::outbound::Outbound;
use shared::protocol::responses::references;
use shared::protocol::{anthropic, shape, size, support};

use crate::outbounds;

/// Output limits that a hold may come to.
const LIMITS: [u64; 3] = [1, 4096, u64::MAX];

/// A request that is read can be sized, keyed and written for every provider that is said to honour
/// it. One that is not read is told why.
pub(super) fn target(dialect: Dialect, data: &[u8]) {
    let Ok(mut body) = parse_object(data) else { return };
    if dialect == Dialect::Responses {
        refer(&mut body);
    }
    match dialect.read(body) {
        Err(fault) => assert_fault(&fault),
        Ok(inbound) => check(&inbound),
    }
}

/// References of a Responses request are looked up before it is read; here nothing is kept.
fn refer(body: &mut Map<String, Value>) {
    let asked = references::requests_of(body);
    if let Err(fault) = references::restore(body, &BTreeMap::new()) {
        assert_fault(&fault);
        assert!(fault.param.starts_with("input["), "{fault:?}");
    } else {
        assert!(asked.is_empty(), "{asked:?} were found where nothing is kept");
    }
}

/// A request to count tokens needs no output limit, and what is counted is written without one.
pub(super) fn count(data: &[u8]) {
    let Ok(body) = parse_object(data) else { return };
    match anthropic::count::read(body) {
        Err(fault) => assert_fault(&fault),
        Ok(inbound) => {
            check(&inbound);
            let counted = anthropic::count::body(&inbound.request, "claude-sonnet-4-5");
            assert_reads_again(&counted);
            assert!(counted.get("max_tokens").is_none() && counted.get("stream").is_none());
            assert!(
                size::estimated_tokens(&inbound.request)
                    <= size::measure(&inbound.request).input_bytes + images(&inbound)
            );
        }
    }
}

/// An image is no text and is counted apart.
fn images(inbound: &Inbound) -> u64 {
    size::measure(&inbound.request).images.saturating_mul(1_000_000)
}

fn assert_fault(fault: &BadRequest) {
    assert!(!fault.message.is_empty(), "a fault without a word: {fault:?}");
}

fn check(inbound: &Inbound) {
    let request = &inbound.request;
    assert!(!request.messages.is_empty() && request.choices >= 1);
    assert_eq!(shape::parts(request), shape::parts(&request.clone()));
    let measured = size::measure(request);
    for target in outbounds::Target::all() {
        match support::check(request, target.outbound, target.model) {
            Err(refused) => assert!(!refused.why.is_empty()),
            Ok(()) => {
                for limit in LIMITS {
                    let body = target.body(request, limit);
                    assert_reads_again(&body);
                    assert_held(&body, request, &measured);
                }
                assert_spoken(&target, request);
            }
        }
    }
}

/// What is sent in a dialect that callers speak as well is itself a request in it. Fields that nobody
/// listed are sent as they are.
fn assert_spoken(target: &outbounds::Target, request: &ChatRequest) {
    let body = target.body(request, 4096);
    assert!(body["messages"].as_array().is_some_and(|messages| !messages.is_empty()), "{body}");
    let dialect = match target.outbound {
        Outbound::OpenAi(_) => Dialect::OpenAi,
        Outbound::Anthropic => Dialect::Anthropic,
        Outbound::Bedrock => return,
    };
    let again = body.as_object().cloned().expect("an object");
    if let (Err(fault), true) = (dialect.read(again), request.unlisted.is_empty()) {
        panic!("{fault:?} in what is sent: {body}");
    }
}

/// What is sent is JSON that everybody reads the same way.
fn assert_reads_again(body: &Value) {
    let text = body.to_string();
    let again = parse_object(text.as_bytes());
    // A schema of the caller's may nest as deep as is allowed, and is nested in more here.
    if let Ok(again) = again {
        assert_eq!(&Value::Object(again), body);
    }
    assert!(body.is_object());
}

/// The hold must bound what the model reads: every text of the request is in the size.
fn assert_held(body: &Value, request: &ChatRequest, measured: &RequestSize) {
    let said: u64 = request.messages.iter().map(|message| message.joined_text().len() as u64).sum();
    assert!(measured.input_bytes >= said, "{measured:?} for {body}");
}
