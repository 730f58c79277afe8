//! Who asks for what: counters, requests, and what becomes of them.

use shared::domain::counter::{CounterKey, ScopeKind, WindowForm};
use shared::domain::ledger::Quality;

/// A bounded world to explore.
#[derive(Clone, Debug)]
pub struct Setting {
    pub name: &'static str,
    pub slots: Vec<Slot>,
    pub requests: Vec<Request>,
    /// The slot that counts the next period of the scope of the slot before it, if a period ends.
    pub next_period: Option<usize>,
}

/// One counter.
#[derive(Clone, Debug)]
pub struct Slot {
    pub key: CounterKey,
    pub cap: i64,
    /// Whether it is there from the beginning.
    pub is_open: bool,
}

/// One request, of one attempt under one id; a repeat under a fresh id is another request. Ids
/// grow in the order of the list, whatever the order in which the requests begin.
#[derive(Clone, Debug)]
pub struct Request {
    /// One of them is chosen when the request begins.
    pub plans: Vec<Plan>,
    pub ends: Vec<End>,
}

/// The reserves of a request.
#[derive(Clone, Debug)]
pub struct Plan {
    pub parts: Vec<PlanPart>,
    /// Begins only before or only after the period has ended; none is at any time.
    pub after_period: Option<bool>,
}

#[derive(Clone, Copy, Debug)]
pub struct PlanPart {
    pub slot: usize,
    pub amount: i64,
    pub form: WindowForm,
}

/// What the provider bills, and what the gateway settles with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    pub billed: i64,
    pub quality: Quality,
    pub amount: i64,
}

fn scope(kind: ScopeKind, period: &str, shard: Option<u8>, cap: i64) -> Slot {
    let key = CounterKey { kind, id: "a".to_owned(), period: period.to_owned(), shard };
    Slot { key, cap, is_open: true }
}

fn plan(parts: &[(usize, i64)]) -> Plan {
    let part = |&(slot, amount)| PlanPart { slot, amount, form: WindowForm::Same };
    Plan { parts: parts.iter().map(part).collect(), after_period: None }
}

/// Nothing, a part and all of three, exactly; and a part that is known to be at most two.
fn ends() -> Vec<End> {
    let exact = |billed| End { billed, quality: Quality::Exact, amount: billed };
    vec![exact(0), exact(1), exact(3), End { billed: 1, quality: Quality::Estimated, amount: 2 }]
}

fn request(plans: Vec<Plan>) -> Request {
    Request { plans, ends: ends() }
}

impl Setting {
    /// Every setting of the checker.
    pub fn all() -> Vec<Setting> {
        vec![
            Setting::one_scope(),
            Setting::two_scopes(),
            Setting::opening(),
            Setting::rollover(),
            Setting::shards(),
            Setting::three_requests(),
        ]
    }

    /// Three requests in one scope with room for two.
    pub fn one_scope() -> Setting {
        Setting {
            name: "3 requests x 1 scope",
            slots: vec![scope(ScopeKind::Key, "total", None, 7)],
            requests: vec![request(vec![plan(&[(0, 3)])]); 3],
            next_period: None,
        }
    }

    /// Two requests in two scopes, one of which has room for one of them.
    pub fn two_scopes() -> Setting {
        Setting {
            name: "2 requests x 2 scopes",
            slots: vec![scope(ScopeKind::Key, "total", None, 5), scope(ScopeKind::Tenant, "total", None, 7)],
            requests: vec![request(vec![plan(&[(0, 3), (1, 3)])]); 2],
            next_period: None,
        }
    }

    /// A third request in the two scopes.
    pub fn three_requests() -> Setting {
        let mut setting = Setting::two_scopes();
        setting.requests.extend(setting.requests.first().cloned());
        Setting { name: "3 requests x 2 scopes", ..setting }
    }

    /// Two requests over two shards of one scope, in parts of their own, and a scope without shards.
    pub fn shards() -> Setting {
        Setting {
            name: "2 requests x (2 shards + 1 scope)",
            slots: vec![
                scope(ScopeKind::Key, "total", Some(0), 2),
                scope(ScopeKind::Key, "total", Some(1), 4),
                scope(ScopeKind::Tenant, "total", None, 6),
            ],
            requests: vec![
                request(vec![plan(&[(0, 1), (1, 2), (2, 3)])]),
                request(vec![plan(&[(0, 2), (1, 1), (2, 3)])]),
            ],
            next_period: None,
        }
    }

    /// The period of one scope ends at any moment; the other scope has none.
    pub fn rollover() -> Setting {
        let before = Plan { after_period: Some(false), ..plan(&[(0, 3), (2, 3)]) };
        let after = Plan { after_period: Some(true), ..plan(&[(1, 3), (2, 3)]) };
        Setting {
            name: "2 requests x 2 scopes, a period ends",
            slots: vec![
                scope(ScopeKind::Key, "minute#1", None, 5),
                scope(ScopeKind::Key, "minute#2", None, 5),
                scope(ScopeKind::Tenant, "total", None, 6),
            ],
            requests: vec![request(vec![before, after]); 2],
            next_period: Some(1),
        }
    }

    /// No counter is there yet: a reserve may create it, and a fence may come before.
    pub fn opening() -> Setting {
        let opened = |forms: [WindowForm; 2]| {
            let mut plan = plan(&[(0, 3), (1, 3)]);
            for (part, form) in plan.parts.iter_mut().zip(forms) {
                part.form = form;
            }
            plan
        };
        let (create, same) = (WindowForm::Create, WindowForm::Same);
        let mut slots = Setting::two_scopes().slots;
        for slot in &mut slots {
            slot.is_open = false;
        }
        let later = [[create, create], [same, same], [same, create]].map(opened);
        Setting {
            name: "2 requests x 2 scopes, counters are created",
            slots,
            requests: vec![request(vec![opened([create, create])]), request(later.to_vec())],
            next_period: None,
        }
    }
}
