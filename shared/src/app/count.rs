//! `POST /v1/messages/count_tokens`: free, so it is admitted by rates alone and leaves no line.

use std::sync::Arc;

use super::App;
use super::admit::admit_free;
use super::authenticate::authenticate_token;
use super::charge::rejected;
use super::error::GatewayError;
use super::route::{self, first_token_timeout, honours_or_refuse};
use super::spender::{OnBehalf, Spender};
use crate::ports::AttemptError;
use crate::protocol::inbound::Inbound;
use crate::protocol::outbound::Outbound;
use crate::protocol::size::estimated_tokens;

/// How many tokens a request would put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    pub tokens: u64,
    /// Nobody counted: the provider has no endpoint for it, so it is a rule of thumb.
    pub estimated: bool,
}

/// Asks the provider, where it counts.
///
/// # Errors
/// As for an answer, apart from budgets.
pub async fn count(
    app: &Arc<App>,
    token: Option<&str>,
    inbound: Result<Inbound, GatewayError>,
) -> Result<Count, GatewayError> {
    let caller = authenticate_token(app, token).await?;
    let inbound = inbound?;
    let target = route::requested(app, inbound.model.as_deref(), app.clock.now())?;
    caller.may_use(&target.model)?;
    honours_or_refuse(app, &target, &inbound.request)?;
    let on_behalf = OnBehalf { user: inbound.request.user.as_deref(), session: inbound.session.as_deref() };
    admit_free(app, &caller, Spender::of(app, caller.clone(), on_behalf)).await?;
    if app.upstream.outbound(&target.model) != Some(Outbound::Anthropic) {
        return Ok(Count { tokens: estimated_tokens(&inbound.request), estimated: true });
    }
    let limit = first_token_timeout(app, &target.model);
    let counted = app.counter.count(&target.model, &inbound.request);
    match tokio::time::timeout(limit, counted).await {
        Ok(Ok(tokens)) => Ok(Count { tokens, estimated: false }),
        Ok(Err(error)) => Err(refused(error)),
        Err(_) => Err(refused(AttemptError::Timeout("no count"))),
    }
}

fn refused(error: AttemptError) -> GatewayError {
    let degraded = || GatewayError::Degraded { retry_after: 1, billed: false, detail: format!("{error:?}") };
    rejected(&error).unwrap_or_else(degraded)
}
