//! What a finished attempt costs, and what an error of a provider means for money and routing.

use std::time::Duration;

use super::attempt::Attempted;
use super::error::GatewayError;
use crate::domain::bound::{RequestSize, dearest};
use crate::domain::ledger::{Outcome, Quality};
use crate::domain::money::NanoUsd;
use crate::domain::reservation::Reservation;
use crate::domain::usage::TokenUsage;
use crate::ports::AttemptError;
use crate::protocol::embeddings::Embeddings;

/// What an attempt is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Billed {
    pub usage: TokenUsage,
    pub amount: NanoUsd,
    pub quality: Quality,
}

impl Billed {
    pub(super) const NOTHING: Billed =
        Billed { usage: TokenUsage::NONE, amount: NanoUsd::ZERO, quality: Quality::Exact };

    /// What the provider reported. A cost beyond 64 bits is no cost: the hold is the most that can
    /// be true.
    pub(super) fn reported(paid: &Reservation, usage: TokenUsage) -> Self {
        match paid.price().cost(&usage) {
            Ok(amount) => Billed { usage, amount, quality: Quality::Exact },
            Err(_) => Billed::at_most(paid, usage),
        }
    }

    /// The whole hold, or what the provider had counted when it was cut off, if that is more.
    fn stopped(paid: &Reservation, usage: TokenUsage) -> Self {
        let held = Billed::at_most(paid, usage);
        let amount = paid.price().cost(&usage).map_or(held.amount, |cost| cost.max(held.amount));
        Billed { amount, ..held }
    }

    /// The whole hold.
    pub(super) fn at_most(paid: &Reservation, usage: TokenUsage) -> Self {
        Billed { usage, amount: paid.bound().amount, quality: Quality::Estimated }
    }
}

/// What an attempt is charged. Exact where the provider told its usage or bills nothing; else an
/// upper bound: bytes where everything the model wrote was seen, the whole hold where it was not.
pub(super) fn charge(paid: &Reservation, done: &Attempted, outcome: Outcome, size: &RequestSize) -> Billed {
    let held = paid.bound();
    match outcome {
        Outcome::FailedUnbilled | Outcome::Abandoned | Outcome::CacheHit => return Billed::NOTHING,
        Outcome::Stopped => return Billed::stopped(paid, done.usage_at_least()),
        Outcome::Completed | Outcome::FailedBilled => {}
    }
    if done.usage_reported {
        return Billed::reported(paid, done.answer.usage);
    }
    let seen_whole = outcome == Outcome::Completed && !paid.price().reasoning;
    let most = held.max_output_tokens.saturating_mul(size.choices);
    let output = if seen_whole { done.output_bytes.min(most) } else { most };
    let usage = TokenUsage { uncached: size.input_bytes, output, ..TokenUsage::default() };
    match (seen_whole, dearest(paid.price(), size, output)) {
        (true, Ok(cost)) => Billed { usage, amount: cost.min(held.amount), quality: Quality::Estimated },
        _ => Billed::at_most(paid, usage),
    }
}

/// What embeddings are charged, or a call that came to none: what was reported, else the whole hold where
/// the provider may bill.
pub(super) fn charge_embeddings(
    paid: &Reservation,
    input_bytes: u64,
    done: &Result<Embeddings, AttemptError>,
) -> (Billed, Outcome) {
    let input = |tokens| TokenUsage { uncached: tokens, ..TokenUsage::NONE };
    let whole_hold = || Billed::at_most(paid, input(input_bytes));
    match done {
        Ok(found) => {
            let billed = found.tokens.map(|tokens| Billed::reported(paid, input(tokens)));
            (billed.unwrap_or_else(whole_hold), Outcome::Completed)
        }
        Err(error) if Verdict::of(error).may_be_billed => (whole_hold(), Outcome::FailedBilled),
        Err(_) => (Billed::NOTHING, Outcome::FailedUnbilled),
    }
}

/// What an error means for money and routing.
pub(super) struct Verdict {
    pub may_be_billed: bool,
    /// Another provider would refuse it as well.
    pub callers_fault: bool,
    pub worth_a_retry: bool,
    pub asked_to_wait: Duration,
}

impl Verdict {
    pub(super) fn of(error: &AttemptError) -> Verdict {
        let (may_be_billed, callers_fault, worth_a_retry, wait) = match error {
            AttemptError::Connect(_) => (false, false, true, None),
            AttemptError::Status { status, retry_after, .. } => {
                let callers_fault = matches!(status, 400 | 413 | 422);
                let worth = matches!(status, 408 | 409 | 429) || *status >= 500;
                (false, callers_fault, worth, *retry_after)
            }
            // Providers report overload this way before they have begun; nothing was generated.
            AttemptError::InStream { .. } => (false, false, true, None),
            AttemptError::Timeout(_) | AttemptError::Broken(_) => (true, false, false, None),
        };
        Verdict { may_be_billed, callers_fault, worth_a_retry, asked_to_wait: wait.unwrap_or_default() }
    }
}

/// The refusal that the caller is told where no other provider would take the request either.
pub(super) fn rejected(error: &AttemptError) -> Option<GatewayError> {
    match error {
        AttemptError::Status { status, message, .. } if Verdict::of(error).callers_fault => {
            Some(GatewayError::UpstreamRejected { status: *status, message: message.clone() })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16) -> Verdict {
        Verdict::of(&AttemptError::Status { status, message: String::new(), code: None, retry_after: None })
    }

    #[test]
    fn an_error_of_the_model_lets_another_target_answer() {
        // What Bedrock answers when the model behind it fails, is slow, or has too much to do.
        for (status, worth_a_retry) in [(424, false), (408, true), (429, true), (503, true)] {
            let verdict = of(status);
            assert!(!verdict.callers_fault && !verdict.may_be_billed, "{status}");
            assert_eq!(verdict.worth_a_retry, worth_a_retry, "{status}");
        }
        assert!(of(400).callers_fault);
    }
}
