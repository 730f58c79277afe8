//! What is checked of a step, the moment it is done at the store.

use std::sync::Arc;

use shared::domain::counter::{Close, Counter, CounterKey, RateLimits, Reserve};
use shared::domain::id::AttemptId;
use shared::domain::idempotency::{Claim, Claimed};
use shared::domain::ledger::{LedgerLine, Outcome, Quality};
use shared::ports::{PutLine, ReserveReply};

use super::books::{Bill, name};
use super::callers::Scope;
use super::queue;
use super::sweepers;
use super::world::World;

impl World {
    pub(crate) fn reserved(self: &Arc<Self>, write: &Reserve, reply: &ReserveReply) {
        let what = if matches!(reply, ReserveReply::Held(_)) { "held" } else { "refused" };
        self.tell(|| format!("reserve {} of {} in {}: {what}", write.id, write.amount(), name(&write.key)));
        if let ReserveReply::Held(counter) = reply {
            self.check_admission(write, counter);
            if self.dice.chance(self.faults().sweep) {
                sweepers::soon(self);
            }
        }
        self.books.check(&write.key);
    }

    fn check_admission(&self, write: &Reserve, counter: &Counter) {
        let scope = self.scope_of(&write.key);
        self.check_rates(write, counter, scope.map(|scope| scope.limits).unwrap_or_default());
        let is_agreed = counter.allowance() == write.allowance;
        self.books.holds_that(is_agreed, "admission", || {
            let (asked, follows) = (write.allowance, counter.allowance());
            format!("{} asked {} under {asked:?}, which follows {follows:?}", write.id, name(&write.key))
        });
        let is_meant = scope.is_some_and(|scope| self.meant.is_obeyed(scope, &write.key, counter));
        self.books.holds_that(is_meant, "admission", || {
            let allowed = scope.map(|scope| self.meant.allowed(scope, &write.key));
            format!(
                "{} admitted in {:?} by {:?}, meant is {allowed:?}",
                write.id,
                write.key,
                counter.allowance()
            )
        });
        let most = match write.key.shard {
            Some(_) => scope.map(|scope| self.meant.greatest(scope)).unwrap_or_default(),
            None => counter.cap,
        };
        self.books.admitted(&write.key, counter, most);
    }

    /// Rates and open requests stay within what was set for the scope. Of several counters each has
    /// a share of the rates, and what is open counts once, however many of them hold it.
    fn check_rates(&self, write: &Reserve, counter: &Counter, set: RateLimits) {
        let fits = |count: i64, limit: Option<i64>| limit.is_none_or(|limit| count <= limit);
        let rates = if write.key.shard.is_some() { write.limits } else { set };
        let in_rate = fits(counter.requests, rates.requests) && fits(counter.tokens, rates.tokens);
        self.books.holds_that(in_rate, "admission", || format!("{} beyond its rate: {counter:?}", write.id));
        let open = self.books.open(&write.key);
        let is_alone = write.hold.is_none() || fits(open, set.concurrency);
        self.books.holds_that(is_alone, "admission", || {
            let limit = set.concurrency.unwrap_or_default();
            format!("{} is one of {open} open in {}, allowed are {limit}", write.id, name(&write.key))
        });
    }

    /// Whose counter it is.
    pub(crate) fn scope_of(&self, key: &CounterKey) -> Option<&Scope> {
        let period = key.period.split('#').next().unwrap_or_default();
        let mut scopes = self.callers.iter().flat_map(|caller| &caller.scopes);
        let is_it = |scope: &&Scope| {
            (scope.kind, &scope.id) == (key.kind, &key.id) && scope.period.to_string() == period
        };
        scopes.find(is_it)
    }

    pub(crate) fn closed(&self, write: &Close) {
        self.tell(|| format!("close {} at {} in {}", write.id, write.billed, name(&write.key)));
        self.books.check(&write.key);
    }

    pub(crate) fn fenced(&self, key: &CounterKey, id: AttemptId, fenced: bool) {
        self.tell(|| format!("fence {id} in {}: {fenced}", name(key)));
        self.books.check(key);
    }

    pub(crate) fn put(self: &Arc<Self>, line: &LedgerLine, put: &PutLine) {
        self.tell(|| {
            let stood = if *put == PutLine::Inserted { "" } else { ", which stood" };
            format!("line {} {:?} of {}, {:?}{stood}", line.id, line.quality, line.amount, line.outcome)
        });
        if *put == PutLine::Inserted {
            self.books.note_line(line);
            self.tally().estimated += u64::from(line.quality == Quality::Estimated);
            self.tally().abandoned += u64::from(line.outcome == Outcome::Abandoned);
            if line.quality == Quality::Estimated {
                queue::invoice(self, line);
            }
        }
        self.books.check_final(line.id);
        self.check_counters(line);
    }

    pub(crate) fn corrected(&self, exact: &LedgerLine, corrected: bool) {
        self.tell(|| format!("correct {} to {}: {corrected}", exact.id, exact.amount));
        if corrected {
            self.tally().corrected += 1;
            self.books.note_line(exact);
        }
        self.books.check_final(exact.id);
        self.check_counters(exact);
    }

    fn check_counters(&self, line: &LedgerLine) {
        for part in &line.items {
            self.books.check(&part.counter);
        }
    }

    pub(crate) fn claimed(&self, claim: &Claim, claimed: &Claimed<String>) {
        if *claimed == Claimed::Started {
            self.books.works(&claim.key, claim.request);
        }
    }

    pub(crate) fn billed(&self, bill: Bill) {
        self.tell(|| format!("the provider is called for {} and bills {}", bill.id, bill.amount));
        let amount = bill.amount.nano();
        let overspend = self.books.bill(bill);
        let mut tally = self.tally();
        tally.attempts += 1;
        tally.billed += i128::from(amount);
        tally.overspend += overspend;
    }
}
