use super::*;
use crate::domain::rollup::{Minutes, UserUse};

const HOUR: i64 = 500_000;

fn of_model(requests: u64, cost: i64) -> ModelUse {
    ModelUse { requests, attempts: requests, cost: NanoUsd::from_nano(cost), ..ModelUse::default() }
}

/// One request that two models were asked by `u`, and one by nobody.
fn rollup(key: &str, hour: i64) -> Rollup {
    let models = [("a/x", of_model(1, 0)), ("b/y", of_model(1, 5))];
    let models = models.map(|(name, sum)| (name.to_owned(), sum)).into();
    let by_u = UserUse { user: Some("u".to_owned()), requests: 1, models };
    let by_nobody = UserUse { user: None, requests: 1, models: [("a/x".to_owned(), of_model(1, 7))].into() };
    Rollup {
        version: 1,
        tenant: "acme".to_owned(),
        key_id: key.to_owned(),
        hour,
        shard: 0,
        requests: 2,
        minutes: Minutes::default(),
        users: vec![by_nobody, by_u],
        cache: BTreeMap::new(),
    }
}

fn grouped(grouping: Grouping) -> Vec<(Name, u64, i64)> {
    let rollups = [rollup("k1", HOUR), rollup("k1", HOUR + 1), rollup("k2", HOUR)];
    let report = report(&rollups, grouping, Timestamp::of_hour(HOUR)).expect("sums fit");
    assert_eq!((report.total.requests, report.total.cost_usd.nano()), (6, 36));
    let groups = report.groups.into_iter();
    groups.map(|group| (group.name, group.totals.requests, group.totals.cost_usd.nano())).collect()
}

#[test]
fn requests_are_distinct_in_every_grouping() {
    assert_eq!(grouped(Grouping::default()), []);
    let text = |text: &str| Some(text.to_owned());
    let key = |name: &str| Name { key: text(name), ..Name::default() };
    assert_eq!(
        grouped(Grouping { key: true, ..Grouping::default() }),
        [(key("k1"), 4, 24), (key("k2"), 2, 12)]
    );
    let user = |user: Option<&str>| Name { user: Some(user.map(str::to_owned)), ..Name::default() };
    assert_eq!(
        grouped(Grouping { user: true, ..Grouping::default() }),
        [(user(None), 3, 21), (user(Some("u")), 3, 15)]
    );
    let model = |name: &str| Name { model: text(name), ..Name::default() };
    assert_eq!(
        grouped(Grouping { model: true, ..Grouping::default() }),
        [(model("a/x"), 6, 21), (model("b/y"), 3, 15)]
    );
    let hour = |name: &str| Name { hour: text(name), ..Name::default() };
    assert_eq!(
        grouped(Grouping { hour: true, ..Grouping::default() }),
        [(hour("2027-01-15T08:00:00Z"), 4, 24), (hour("2027-01-15T09:00:00Z"), 2, 12)]
    );
    let day = Name { day: text("2027-01-15"), ..Name::default() };
    assert_eq!(grouped(Grouping { day: true, ..Grouping::default() }), [(day, 6, 36)]);
}

#[test]
fn a_group_says_only_what_it_was_asked_by() {
    let by_user = Grouping { user: true, ..Grouping::default() };
    let report = report(&[rollup("k1", HOUR)], by_user, Timestamp::of_hour(HOUR)).expect("sums fit");
    let json = serde_json::to_value(&report).expect("json");
    assert_eq!(json["asOf"], "2027-01-15T08:00:00Z");
    assert_eq!(json["groups"][0]["user"], serde_json::Value::Null);
    assert_eq!(json["groups"][1]["user"], "u");
    assert_eq!(json["groups"][1]["costUsd"], "0.000000005");
    assert!(json["groups"][1].get("model").is_none());
}
