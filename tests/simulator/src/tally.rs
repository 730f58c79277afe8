//! What happened in a world, or in many: that a run was not idle must be visible.

use std::fmt;

macro_rules! tally {
    ($($(#[$doc:meta])* $name:ident: $what:literal),+ $(,)?) => {
        /// Counts of what happened.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Tally {
            $($(#[$doc])* pub $name: u64,)+
            /// What providers billed beyond a cap, over all scopes, in nano-dollars.
            pub overspend: i64,
            /// What providers billed, in nano-dollars.
            pub billed: i128,
        }

        impl Tally {
            pub fn add(&mut self, other: &Tally) {
                $(self.$name += other.$name;)+
                self.overspend += other.overspend;
                self.billed += other.billed;
            }

            /// Every count with its meaning.
            pub fn counts(&self) -> Vec<(&'static str, u64)> {
                vec![$(($what, self.$name)),+]
            }
        }
    };
}

tally! {
    worlds: "worlds",
    steps: "steps",
    requests: "requests",
    served: "requests served",
    from_cache: "served from the cache",
    replayed: "answered again under an idempotency key",
    failed: "ended with an error after admission",
    over_budget: "refused by a budget",
    over_rate: "refused by a rate limit",
    crowded: "of those, by the requests that were open",
    unavailable: "refused because a store failed",
    refused: "refused otherwise",
    stopped: "refused because an admin stopped the scope",
    left: "callers who left",
    cut_off: "callers whose instance was killed",
    attempts: "attempts that reached a provider",
    crashes: "processes killed",
    throttled: "store calls throttled",
    lost: "store calls lost",
    unheard: "store calls applied without a reply",
    late: "store calls applied after their caller gave up",
    twice: "store calls applied again",
    queued: "settlements through the queue",
    redelivered: "messages of the queue delivered again",
    estimated: "lines estimated",
    corrected: "estimates corrected",
    abandoned: "ids abandoned",
    changed: "policies changed by an admin",
    unchanged: "changes of policies that did not get through",
    sweeps: "sweeps over all counters",
    swept: "holds swept: a line was there",
    voided: "holds swept: never sent",
    posted: "holds swept: charged in full",
    probes: "affordable requests admitted at the end",
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in self.counts() {
            writeln!(f, "{count:>12}  {what}")?;
        }
        writeln!(f, "{:>12}  nano-dollars billed", self.billed)?;
        write!(f, "{:>12}  nano-dollars of overspend", self.overspend)
    }
}
