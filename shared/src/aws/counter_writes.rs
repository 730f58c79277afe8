//! The counter's transitions as condition and update expressions. Each equals the function of the
//! same name in [`crate::domain::counter`]; the contract suite compares them.

use aws_sdk_dynamodb::types::AttributeValue;

use super::counter_item::hold_value;
use super::expression::Expression;
use super::item::{Item, n, s};
use crate::domain::counter::{self, Allowance, Close, Counter, Hold, Reserve, ScopeState, WindowForm};
use crate::domain::id::AttemptId;
use crate::domain::money::NanoUsd;
use crate::domain::time::Timestamp;

/// Whether a reserve fails whatever the item holds: an expression cannot compare its own values.
pub(super) fn never_fits(write: &Reserve) -> bool {
    let (requests, tokens) = write.rate_room();
    match write.form {
        WindowForm::Create => counter::reserve(None, write).is_none(),
        WindowForm::Roll { .. } => [requests, tokens].into_iter().flatten().any(|room| room < 0),
        WindowForm::Same => false,
    }
}

pub(super) fn reserve(write: &Reserve) -> Expression {
    match write.form {
        WindowForm::Create => create(write),
        WindowForm::Same => enter(write, write.window),
        WindowForm::Roll { from } => enter(write, from),
    }
}

fn create(write: &Reserve) -> Expression {
    let remaining = write.allowance.cap.nano().saturating_sub(write.amount().nano());
    let live = write.hold.iter().map(|hold| (write.id.to_string(), hold_value(hold)));
    let mut expression = open(&write.allowance, remaining, live.collect());
    expression.set("window", "window", n(write.window));
    expression.set("requests", "one", n(1));
    expression.set("tokens", "tokens", n(write.tokens));
    expression.absent_or("floor", "floor", "<", "id", s(write.id.to_string()));
    expression
}

/// Makes the item, or opens one that only fences; its window is for the caller to set.
fn open(allowance: &Allowance, remaining: i64, live: Item) -> Expression {
    let mut expression = Expression::default();
    expression.set("cap", "cap", n(allowance.cap.nano()));
    expression.set("remaining", "remaining", n(remaining));
    set_state(&mut expression, allowance);
    expression.set("version", "version", n(allowance.version.millis()));
    expression.set("live", "live", AttributeValue::M(live));
    expression.absent_or("pk", "window", "=", "unopened", n(Counter::UNOPENED));
    expression
}

/// Brings `counter`, as it was read, to a later policy; none where it needs no change.
pub(super) fn allow(counter: Option<&Counter>, to: &Allowance) -> Option<Expression> {
    let next = counter::allow(counter, to)?;
    let Some(counter) = counter.filter(|counter| !counter.is_unopened()) else {
        let mut expression = open(to, next.remaining.nano(), Item::new());
        expression.set("window", "window", n(next.window));
        expression.set("requests", "none", n(next.requests));
        expression.set("tokens", "none", n(next.tokens));
        return Some(expression);
    };
    let mut expression = Expression::default();
    expression.set("cap", "cap", n(to.cap.nano()));
    expression.add("remaining", "change", n(i128::from(to.cap.nano()) - i128::from(counter.cap.nano())));
    set_state(&mut expression, to);
    if next.refused_at.is_none() {
        expression.remove("refusedAt");
    }
    expression.set("version", "version", n(to.version.millis()));
    expression.compare("version", "=", "seen", n(counter.version.millis()));
    Some(expression)
}

/// Sets the state and what goes with it. An item whose scope was never barred has neither attribute of it.
fn set_state(expression: &mut Expression, to: &Allowance) {
    expression.set("state", "state", s(to.state.to_string()));
    match to.bar.pace {
        0 => expression.remove("pace"),
        pace => expression.set("pace", "pace", n(pace)),
    }
    match to.bar.until {
        None => expression.remove("until"),
        Some(until) => expression.set("until", "until", n(until)),
    }
}

/// The state admits one more request: it is active, its time is over, or its pace has room.
fn admitted(write: &Reserve, expression: &mut Expression) {
    let (state, until, pace) = (expression.path("state"), expression.path("until"), expression.path("pace"));
    let active = expression.value("active", s(ScopeState::Active.to_string()));
    let throttled = expression.value("throttled", s(ScopeState::Throttled.to_string()));
    let window = expression.value("window", n(write.window));
    let room = match write.form {
        WindowForm::Roll { .. } => format!("{pace} > {}", expression.value("nothing", n(0))),
        WindowForm::Create | WindowForm::Same => format!("{} < {pace}", expression.path("requests")),
    };
    // What is missing in the item compares as false.
    expression
        .demand(format!("({state} = {active} OR {until} <= {window} OR ({state} = {throttled} AND {room}))"));
}

/// `seen` is the window the item must count: the present one, or the one that ends here.
fn enter(write: &Reserve, seen: i64) -> Expression {
    let hold_path = format!("live.{}", write.id);
    let mut expression = Expression::default();
    expression.add("remaining", "taken", n(-i128::from(write.amount().nano())));
    if let Some(hold) = &write.hold {
        expression.set(&hold_path, "hold", hold_value(hold));
    }
    match write.form {
        WindowForm::Roll { .. } => {
            expression.set("window", "window", n(write.window));
            expression.set("requests", "one", n(1));
            expression.set("tokens", "tokens", n(write.tokens));
        }
        WindowForm::Create | WindowForm::Same => count(write, &mut expression),
    }
    expression.compare("window", "=", "seen", n(seen));
    admitted(write, &mut expression);
    expression.compare("version", "=", "version", n(write.allowance.version.millis()));
    if let Some(room) = write.hold_room() {
        expression.size("live", "<=", "hold_room", n(room));
    }
    expression.compare("remaining", ">=", "amount", n(write.amount().nano()));
    expression.absent(&hold_path);
    expression.absent_or("floor", "floor", "<", "id", s(write.id.to_string()));
    expression
}

/// Counts the request in the present window, where that has room.
fn count(write: &Reserve, expression: &mut Expression) {
    let (requests, tokens) = write.rate_room();
    expression.add("requests", "one", n(1));
    expression.add("tokens", "tokens", n(write.tokens));
    if let Some(room) = requests {
        expression.compare("requests", "<=", "request_room", n(room));
    }
    if let Some(room) = tokens {
        expression.compare("tokens", "<=", "token_room", n(room));
    }
}

/// What a close must know of the hold, since an update may add two operands and no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) amount: NanoUsd,
    pub(super) tokens: i64,
    pub(super) window: i64,
    /// The counter still counts the hold's window.
    pub(super) is_current: bool,
}

impl Terms {
    pub(super) fn of(hold: &Hold, counter_window: i64) -> Self {
        Terms {
            amount: hold.amount,
            tokens: hold.tokens,
            window: hold.window,
            is_current: hold.window == counter_window,
        }
    }
}

/// Closes a hold of exactly these terms: a condition on its amount fails where the hold is gone.
pub(super) fn close(write: &Close, terms: &Terms) -> Expression {
    let hold_path = format!("live.{}", write.id);
    let back = i128::from(terms.amount.nano()) - i128::from(write.billed.nano());
    let mut expression = Expression::default();
    expression.add("remaining", "back", n(back));
    expression.remove(&hold_path);
    expression.compare(&format!("{hold_path}.amount"), "=", "amount", n(terms.amount.nano()));
    if terms.is_current {
        let unused = i128::from(terms.tokens) - i128::from(write.billed_tokens);
        expression.add("tokens", "unused", n(-unused));
        if write.withdrawn {
            expression.add("requests", "withdrawn", n(-1));
        }
        expression.compare("window", "=", "window", n(terms.window));
    } else {
        expression.compare("window", "<>", "window", n(terms.window));
    }
    expression
}

/// Fences, and makes the item where there is none.
pub(super) fn fence(id: AttemptId) -> Expression {
    let mut expression = Expression::default();
    expression.set("floor", "id", s(id.to_string()));
    for name in ["cap", "remaining", "requests", "tokens", "version"] {
        expression.set_once(name, "zero", n(0));
    }
    expression.set_once("state", "active", s(ScopeState::Active.to_string()));
    expression.set_once("window", "unopened", n(Counter::UNOPENED));
    expression.set_once("live", "none", AttributeValue::M(Item::new()));
    expression.absent(&format!("live.{id}"));
    expression.absent_or("floor", "floor", "<", "id", s(id.to_string()));
    expression
}

/// Notes the first refusal on what was opened.
pub(super) fn note_refusal(at: Timestamp) -> Expression {
    let mut expression = Expression::default();
    expression.set("refusedAt", "at", n(at.millis()));
    expression.absent("refusedAt");
    expression.exists("pk");
    expression.compare("window", "<>", "unopened", n(Counter::UNOPENED));
    expression
}

/// The counter's part of LATE SETTLE.
pub(super) fn correct(id: AttemptId, estimated: NanoUsd, exact: NanoUsd) -> Expression {
    let back = i128::from(estimated.nano()) - i128::from(exact.nano());
    let mut expression = Expression::default();
    expression.add("remaining", "back", n(back));
    expression.exists("pk");
    expression.absent(&format!("live.{id}"));
    expression
}
