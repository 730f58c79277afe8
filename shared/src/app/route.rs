//! Which models may answer, in which order.

use std::sync::Arc;
use std::time::Duration;

use super::App;
use super::authenticate::Caller;
use super::error::GatewayError;
use crate::config::ModelName;
use crate::domain::bound::{Bound, BoundError, RequestSize, bound};
use crate::domain::money::NanoUsd;
use crate::domain::notes::{Skipped, Why};
use crate::domain::price::Price;
use crate::domain::time::Timestamp;
use crate::protocol::canonical::ChatRequest;
use crate::protocol::fields::BadRequest;
use crate::protocol::support::{self, Unsupported};

/// A model that can be called and paid for.
#[derive(Clone, Debug)]
pub struct Target {
    pub model: ModelName,
    pub price: Arc<Price>,
}

/// What was asked for: the named model, or the configured primary.
///
/// # Errors
/// [`GatewayError::UnknownModel`] when the name is none, its provider is unknown, or nothing
/// prices it: it is refused before dispatch.
pub fn requested(app: &App, name: Option<&str>, now: Timestamp) -> Result<Target, GatewayError> {
    let unknown = || GatewayError::UnknownModel { model: name.unwrap_or_default().to_owned() };
    let model = match name {
        Some(name) => name.parse().map_err(|_| unknown())?,
        None => app.config.routing.primary.clone(),
    };
    app.config.provider(model.provider()).ok_or_else(unknown)?;
    let price = app.prices.price(&model, now).ok_or_else(unknown)?;
    Ok(Target { model, price })
}

/// The models that may answer, in order, and those of the chain that may not.
#[derive(Debug)]
pub struct Plan {
    pub targets: Vec<Target>,
    pub skipped: Vec<Skipped>,
}

/// The requested model, then the configured chain without it. What the key may not use, nothing
/// prices, no configured provider serves, or cannot honour the whole request is left out.
///
/// # Errors
/// [`GatewayError::BadRequest`] when the requested model cannot honour the whole request, and
/// [`GatewayError::Degraded`] when nothing is left.
pub fn plan(
    app: &App,
    caller: &Caller,
    first: Target,
    request: &ChatRequest,
    now: Timestamp,
) -> Result<Plan, GatewayError> {
    honours_or_refuse(app, &first, request)?;
    let asked = first.model.clone();
    let mut plan = Plan { targets: Vec::new(), skipped: Vec::new() };
    match app.upstream.outbound(&asked) {
        Some(_) => plan.targets.push(first),
        None => plan.skipped.push(Skipped { model: asked.to_string(), why: Why::NoProvider }),
    }
    for model in app.config.routing.chain().filter(|model| **model != asked) {
        match fallback(app, caller, model, request, now) {
            Ok(target) => plan.targets.push(target),
            Err(why) => plan.skipped.push(Skipped { model: model.to_string(), why }),
        }
    }
    match plan.targets.is_empty() {
        false => Ok(plan),
        true => Err(unconfigured(&format!("{asked} or its fallbacks"))),
    }
}

fn fallback(
    app: &App,
    caller: &Caller,
    model: &ModelName,
    request: &ChatRequest,
    now: Timestamp,
) -> Result<Target, Why> {
    caller.may_use(model).map_err(|_| Why::KeyForbids)?;
    let price = app.prices.price(model, now).ok_or(Why::NoPrice)?;
    let target = Target { model: model.clone(), price };
    let param = |Unsupported { param, .. }| Why::UnsupportedParameter { param: param.to_string() };
    honours(app, &target, request).map_err(param)?;
    app.upstream.outbound(model).map(|_| target).ok_or(Why::NoProvider)
}

/// No provider can be called for these models.
pub(super) fn unconfigured(models: &str) -> GatewayError {
    let detail = format!("no provider is configured for {models}");
    GatewayError::Degraded { retry_after: 60, billed: false, detail }
}

/// # Errors
/// [`GatewayError::BadRequest`] naming the first parameter that the target cannot honour.
pub(super) fn honours_or_refuse(
    app: &App,
    target: &Target,
    request: &ChatRequest,
) -> Result<(), GatewayError> {
    honours(app, target, request).map_err(|unsupported| cannot_honour(&target.model, unsupported))
}

/// What a caller is told of a parameter that the model they asked for does not have.
pub(super) fn cannot_honour(model: &ModelName, Unsupported { param, why }: Unsupported) -> GatewayError {
    let text = format!("{model} cannot honour {param}: {why}");
    BadRequest::new(param, text).into()
}

/// The money and tokens that an attempt at `target` may take.
///
/// # Errors
/// See [`BoundError`].
pub(super) fn bounded(app: &App, target: &Target, size: &RequestSize) -> Result<Bound, BoundError> {
    let hard_limit = app.config.billing.hard_limit_per_request_nano.map(NanoUsd::from_nano);
    bound(&target.price, size, hard_limit)
}

/// Whether a target can honour the whole request; one that cannot be called at all is not asked.
fn honours(app: &App, target: &Target, request: &ChatRequest) -> Result<(), Unsupported> {
    match app.upstream.outbound(&target.model) {
        Some(outbound) => support::check(request, outbound, target.model.model()),
        None => Ok(()),
    }
}

/// How long the first content may take.
pub fn first_token_timeout(app: &App, model: &ModelName) -> Duration {
    let own = app.config.routing.timeouts.get(model);
    Duration::from_millis(own.copied().unwrap_or(app.config.gateway.timeout_ms))
}
