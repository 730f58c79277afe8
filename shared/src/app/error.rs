//! Everything that can end a request, what the caller is told of it, and what the log is told.

use serde_json::{Map, Value, json};

use super::refusal::RateView;
use super::unavailable::Unavailable;
use crate::domain::counter::ScopeKind;
use crate::domain::money::NanoUsd;
use crate::domain::time::Timestamp;
use crate::ports::StoreError;
use crate::protocol::dialect::Dialect;
use crate::protocol::error::ErrorReport;
use crate::protocol::fields::BadRequest;

/// A closed list: a new member does not compile until it is mapped.
#[derive(Clone, Debug, PartialEq)]
pub enum GatewayError {
    BadRequest(BadRequest),
    /// Bytes that were sent and that may be.
    TooLarge {
        limit: usize,
    },
    Unauthorized,
    ModelForbidden {
        model: String,
    },
    UnknownModel {
        model: String,
    },
    /// Something an admin asked for does not exist.
    NotFound {
        what: String,
    },
    QuotaExceeded(Box<Quota>),
    /// The scope was stopped by an operator or an anomaly.
    ScopeStopped {
        kind: ScopeKind,
        id: String,
    },
    RequestCostLimit {
        estimate: NanoUsd,
        limit: NanoUsd,
    },
    RateLimited {
        unit: RateUnit,
        rates: RateView,
    },
    /// A request under the same idempotency key is being served.
    InFlight,
    /// The reply under this idempotency key was too large to keep, and it was paid for.
    ReplyNotKept,
    /// A browser-safe token was used where only a key may be.
    TokenForbidden,
    /// A provider refused the request itself; another would as well.
    UpstreamRejected {
        status: u16,
        message: String,
    },
    /// No provider could answer. `billed`: one of them may have begun to.
    Degraded {
        retry_after: u64,
        billed: bool,
        detail: String,
    },
    /// A provider failed after content had left.
    BrokenStream {
        detail: String,
    },
    /// Budgets cannot be checked.
    StoreDown(StoreError),
    /// Something else that a store is needed for.
    Unavailable {
        what: Unavailable,
        error: StoreError,
    },
}

/// Which limit was reached: a rate, or the requests open at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateUnit {
    Requests,
    Tokens,
    Concurrency,
}

/// The numbers of a refused budget.
#[derive(Clone, Debug, PartialEq)]
pub struct Quota {
    pub kind: ScopeKind,
    pub id: String,
    pub cap: NanoUsd,
    pub spent: NanoUsd,
    pub held: NanoUsd,
    pub needed: NanoUsd,
    pub resets_at: Option<Timestamp>,
    /// Seconds until then.
    pub retry_after: Option<u64>,
}

impl From<BadRequest> for GatewayError {
    fn from(fault: BadRequest) -> Self {
        GatewayError::BadRequest(fault)
    }
}

impl GatewayError {
    /// Whether the counter is full: another of its scope may have room, or a hold be swept.
    pub(super) fn is_lack_of_room(&self) -> bool {
        matches!(self, GatewayError::QuotaExceeded(_) | GatewayError::RateLimited { .. })
    }

    /// The report for a caller who gets nothing else, logged once: here.
    pub fn logged(&self, dialect: Dialect, request_id: &str) -> ErrorReport {
        let report = self.report(dialect);
        let internal = self.internal_message();
        tracing::info!(request = request_id, status = report.status, code = report.code, internal, "refused");
        report
    }

    /// What the log is told and the caller is not.
    pub fn internal_message(&self) -> Option<String> {
        match self {
            GatewayError::Degraded { detail, .. } | GatewayError::BrokenStream { detail } => {
                Some(detail.clone())
            }
            GatewayError::StoreDown(error) | GatewayError::Unavailable { error, .. } => {
                Some(error.to_string())
            }
            _ => None,
        }
    }

    /// What the caller is told. Budgets answer 429 on the prompt form and 402 elsewhere, where
    /// SDKs would repeat a 429.
    pub fn report(&self, dialect: Dialect) -> ErrorReport {
        let budget_status = match dialect {
            Dialect::Seed => 429,
            Dialect::OpenAi | Dialect::Responses | Dialect::Anthropic => 402,
        };
        match self {
            GatewayError::BadRequest(fault) => bad_request(fault),
            GatewayError::TooLarge { limit } => {
                let text = format!("the body is larger than {limit} bytes");
                report(413, "invalid_request_error", "request_too_large", text)
            }
            GatewayError::Unauthorized => {
                let text = "no valid API key was given; send it as Authorization: Bearer or x-api-key";
                report(401, "authentication_error", "invalid_api_key", text)
            }
            GatewayError::ModelForbidden { model } => {
                let text = format!("this key may not use the model {model:?}");
                about_model(report(403, "permission_error", "model_not_allowed", text))
            }
            GatewayError::UnknownModel { model } => {
                let text = format!("the model {model:?} does not exist here or has no price");
                about_model(report(404, "invalid_request_error", "model_not_found", text))
            }
            GatewayError::NotFound { what } => report(404, "invalid_request_error", "not_found", what),
            GatewayError::QuotaExceeded(quota) => quota_exceeded(quota, budget_status),
            GatewayError::ScopeStopped { kind, id } => {
                let text = format!("the {kind} {id} is stopped; ask the operator");
                no_retry(report(403, "permission_error", "scope_stopped", text))
            }
            GatewayError::RequestCostLimit { estimate, limit } => {
                cost_limit(*estimate, *limit, budget_status)
            }
            GatewayError::RateLimited { unit, rates } => rate_limited(*unit, rates),
            GatewayError::InFlight => {
                let text = "a request with this Idempotency-Key is still in flight";
                let report = later(1, report(409, "invalid_request_error", "idempotency_in_flight", text));
                ErrorReport { should_retry: Some(true), ..report }
            }
            GatewayError::ReplyNotKept => {
                let text = "the answer under this Idempotency-Key was too large to keep";
                no_retry(report(409, "invalid_request_error", "idempotency_reply_not_kept", text))
            }
            GatewayError::TokenForbidden => {
                let text = "this takes the key itself; a browser-safe token is not enough";
                no_retry(report(403, "permission_error", "token_not_allowed", text))
            }
            GatewayError::UpstreamRejected { status, message } => {
                let text = format!("the provider refused the request: {message}");
                no_retry(report(*status, "invalid_request_error", "upstream_rejected", text))
            }
            GatewayError::Degraded { retry_after, billed, .. } => degraded(*retry_after, *billed),
            GatewayError::BrokenStream { .. } => {
                let text = "The answer broke off: the provider failed after it had begun.";
                no_retry(report(502, "api_error", "upstream_failed", text))
            }
            GatewayError::StoreDown(_) => {
                let text = "Budgets cannot be checked right now, so nothing was sent. Try again.";
                later(1, report(503, "api_error", "store_unavailable", text))
            }
            GatewayError::Unavailable { what, .. } => {
                later(1, report(503, "api_error", "store_unavailable", what.sentence()))
            }
        }
    }
}

fn report(status: u16, kind: &'static str, code: &'static str, message: impl Into<String>) -> ErrorReport {
    ErrorReport {
        status,
        kind,
        code,
        message: message.into(),
        param: None,
        details: Map::new(),
        retry_after: None,
        should_retry: None,
        headers: Vec::new(),
    }
}

fn about_model(report: ErrorReport) -> ErrorReport {
    ErrorReport { param: Some("model".to_owned()), ..report }
}

fn later(seconds: u64, report: ErrorReport) -> ErrorReport {
    ErrorReport { retry_after: Some(seconds), ..report }
}

fn no_retry(report: ErrorReport) -> ErrorReport {
    ErrorReport { should_retry: Some(false), ..report }
}

fn details(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn bad_request(fault: &BadRequest) -> ErrorReport {
    let param = (!fault.param.is_empty()).then(|| fault.param.clone());
    ErrorReport { param, ..report(400, "invalid_request_error", "invalid_request", &fault.message) }
}

fn rate_limited(unit: RateUnit, rates: &RateView) -> ErrorReport {
    let (limit, what, wait) = match unit {
        RateUnit::Requests => (rates.limits.requests, "requests a minute", rates.reset),
        RateUnit::Tokens => (rates.limits.tokens, "tokens a minute", rates.reset),
        RateUnit::Concurrency => (rates.limits.concurrency, "requests at once", 1),
    };
    let limit = limit.unwrap_or_default();
    let text = format!("rate limit of {limit} {what} reached; try again in {wait} s");
    let report = later(wait, report(429, "rate_limit_error", "rate_limited", text));
    ErrorReport { headers: rates.headers(), ..report }
}

fn cost_limit(estimate: NanoUsd, limit: NanoUsd, status: u16) -> ErrorReport {
    let text = format!(
        "this request could cost {estimate} USD, more than the limit of {limit} USD for one request; lower max_tokens"
    );
    let report = report(status, "insufficient_quota", "request_cost_limit", text);
    let details = details(json!({ "estimate": estimate, "limit": limit }));
    no_retry(ErrorReport { details, ..report })
}

/// A sentence fit for an end user. Once an attempt may have been billed, a repeat could cost twice.
fn degraded(retry_after: u64, billed: bool) -> ErrorReport {
    let text = "Processing slower than usual, try again.";
    let report = later(retry_after, report(503, "api_error", "degraded", text));
    if billed { no_retry(report) } else { report }
}

fn quota_exceeded(quota: &Quota, status: u16) -> ErrorReport {
    let Quota { kind, id, cap, spent, held, needed, .. } = quota;
    let text = format!(
        "the budget of {kind} {id} is used up: cap {cap} USD, spent {spent} USD, held {held} USD, and this request needs {needed} USD"
    );
    let mut report = no_retry(report(status, "insufficient_quota", "quota_exceeded", text));
    report.retry_after = quota.retry_after;
    report.details = details(json!({
        "scope": kind, "scopeId": id, "cap": cap, "spent": spent, "held": held,
        "resetsAt": quota.resets_at.map(Timestamp::rfc3339),
    }));
    report
}
