//! Every error of the gateway, in every dialect.

use shared::app::error::{GatewayError, Quota, RateUnit};
use shared::app::reserve::RateView;
use shared::domain::counter::{RateLimits, ScopeKind};
use shared::domain::money::NanoUsd;
use shared::domain::time::Timestamp;
use shared::ports::StoreError;
use shared::protocol::answer::Answer;
use shared::protocol::error::{ErrorReport, no_route};
use shared::protocol::fields::BadRequest;

use super::dialects::INBOUND;
use super::layout::pretty;
use super::reply::head;
use super::snapshot::{Sections, Snapshots};

fn errors() -> Vec<(&'static str, GatewayError)> {
    let model = || "openai/gpt-9".to_owned();
    let usd = NanoUsd::from_nano;
    let rates = RateView {
        limits: RateLimits { requests: Some(60), tokens: Some(100_000), ..RateLimits::default() },
        requests_used: 60,
        tokens_used: 1234,
        reset: 42,
    };
    let quota = Quota {
        kind: ScopeKind::Key,
        id: "lzom7tg3dh4f".to_owned(),
        cap: usd(5_000_000_000),
        spent: usd(4_990_000_000),
        held: usd(5_000_000),
        needed: usd(20_000_000),
        resets_at: Some(Timestamp::from_millis(1_790_035_200_000)),
        retry_after: Some(35_200),
    };
    let no_reset = Quota { resets_at: None, retry_after: None, ..quota.clone() };
    let bad = BadRequest::new("messages[0].content[1].type", "messages[0].content[1].type must be text");
    vec![
        ("bad_request", bad.into()),
        ("bad_request_of_the_whole_body", BadRequest::new("", "the body must be a JSON object").into()),
        ("too_large", GatewayError::TooLarge { limit: 6_291_456 }),
        ("unauthorized", GatewayError::Unauthorized),
        ("model_forbidden", GatewayError::ModelForbidden { model: model() }),
        ("unknown_model", GatewayError::UnknownModel { model: model() }),
        ("quota_exceeded", GatewayError::QuotaExceeded(Box::new(quota))),
        ("quota_exceeded_for_good", GatewayError::QuotaExceeded(Box::new(no_reset))),
        ("scope_stopped", GatewayError::ScopeStopped { kind: ScopeKind::User, id: "u-7".to_owned() }),
        (
            "request_cost_limit",
            GatewayError::RequestCostLimit { estimate: usd(2_500_000_000), limit: usd(1_000_000_000) },
        ),
        ("rate_limited_requests", GatewayError::RateLimited { unit: RateUnit::Requests, rates }),
        ("rate_limited_tokens", GatewayError::RateLimited { unit: RateUnit::Tokens, rates }),
        ("in_flight", GatewayError::InFlight),
        ("reply_not_kept", GatewayError::ReplyNotKept),
        ("token_forbidden", GatewayError::TokenForbidden),
        (
            "upstream_rejected",
            GatewayError::UpstreamRejected { status: 400, message: "Invalid schema.".to_owned() },
        ),
        (
            "degraded",
            GatewayError::Degraded { retry_after: 3, billed: false, detail: "a: timeout".to_owned() },
        ),
        (
            "degraded_and_billed",
            GatewayError::Degraded { retry_after: 3, billed: true, detail: "a: cut".to_owned() },
        ),
        ("broken_stream", GatewayError::BrokenStream { detail: "connection reset".to_owned() }),
        ("store_down", GatewayError::StoreDown(StoreError::NoReply("timeout".to_owned()))),
    ]
}

/// The answer's status and headers, its body, and the event that tells of it inside a stream.
fn tell(report: impl Fn(shared::protocol::dialect::Dialect) -> ErrorReport) -> Sections {
    let mut sections = Sections::default();
    for (name, dialect) in INBOUND {
        let report = report(*dialect);
        let headers: String =
            report.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        let repeat = match (report.retry_after, report.should_retry) {
            (None, None) => String::new(),
            (seconds, should) => format!("retry after {seconds:?} s, should retry: {should:?}\n"),
        };
        let head_line = format!("HTTP {}\n{repeat}{headers}", report.status);
        sections.push(name, &(head_line + &pretty(&report.body(*dialect))));
        let mut renderer = dialect.renderer();
        sections.push(&format!("{name}, before the stream began"), &renderer.error(&report));
        let mut renderer = dialect.renderer();
        renderer.start(head(&Answer::default(), false, 1));
        sections.push(&format!("{name}, inside the stream"), &renderer.error(&report));
    }
    sections
}

#[test]
fn errors_are_told_in_each_dialect_as_reviewed() {
    let mut snapshots = Snapshots::of("errors");
    for (name, error) in errors() {
        snapshots.check(name, &tell(|dialect| error.report(dialect)));
    }
    snapshots.check("no_route", &tell(|_| no_route("GET", "/v1/nothing", false)));
    snapshots.check("no_such_method", &tell(|_| no_route("DELETE", "/v1/chat", true)));
    snapshots.finish();
}
