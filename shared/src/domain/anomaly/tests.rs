use super::*;
use crate::domain::counter::ScopeState;
use crate::domain::policy::Throttle;
use crate::domain::rollup::{ModelUse, Rollup, UserUse};
use crate::domain::time::Timestamp;

/// A Monday, 00:00.
const MONDAY: i64 = 4 + 7 * 24 * 2_800;
const DOLLAR: i64 = 1_000_000_000;

fn hour(requests: u64, dollars: i64) -> Hour {
    Hour { requests, cost: NanoUsd::from_nano(dollars * DOLLAR) }
}

/// So many weeks: 600 requests and 60 dollars an hour by day, nothing at night.
fn weeks(count: i64) -> History {
    let hours =
        (0..count * 168).map(|at| if (8..18).contains(&(at % 24)) { hour(600, 60) } else { hour(0, 0) });
    let hours: Vec<Hour> = std::iter::once(hour(1, 0)).chain(hours.skip(1)).collect();
    History::default().extended(MONDAY - count * 168, &hours)
}

fn now() -> Timestamp {
    Timestamp::of_hour(MONDAY + 12) + Duration::from_secs(1_800)
}

fn seen(requests: u64, cents: i64) -> Seen {
    let cost = NanoUsd::from_nano(cents * DOLLAR / 100);
    Seen { requests, cost, clipped: cost, ..Seen::default() }
}

fn judged(seen: &Seen, standing: Option<&Throttle>) -> Option<Step> {
    let usual = Usual::at(&weeks(4), Timestamp::of_hour(MONDAY + 12)).expect("four weeks");
    judge(&Settings::default(), &usual, seen, standing, now())
}

fn throttle(state: ScopeState, age: u64, left: u64) -> Throttle {
    let (since, until) = (now() - Duration::from_secs(age), now() + Duration::from_secs(left));
    Throttle { state, pace: 40, since, until }
}

#[test]
fn an_anomaly_of_the_past_is_not_usual() {
    let clean = weeks(4);
    let mut wild = vec![hour(60_000, 9_000); 3];
    wild.extend((0..168 - 3).map(|back| clean.at(MONDAY - 168 + 3 + back).unwrap_or_default()));
    let wild = clean.extended(MONDAY - 168, &wild);
    let at = |history: &History, at| Usual::at(history, Timestamp::of_hour(MONDAY + at)).expect("four weeks");
    assert_eq!(at(&wild, 1).requests.median, at(&clean, 1).requests.median);
    assert_eq!(at(&clean, 12).requests, at(&wild, 12).requests);
    assert_eq!(at(&clean, 12).cost.median, 60 * DOLLAR.unsigned_abs());
}

#[test]
fn the_hours_beside_count_so_the_morning_may_come_early() {
    let usual = |at: i64| {
        let now = Timestamp::of_hour(MONDAY + at);
        Usual::at(&weeks(4), now).expect("four weeks").requests.median
    };
    assert_eq!((usual(6), usual(7), usual(8), usual(18), usual(19)), (0, 600, 600, 600, 0));
}

#[test]
fn a_new_level_is_usual_once_it_has_lasted_for_a_day() {
    let usual = |hours: usize| {
        let history = weeks(4).extended(MONDAY, &vec![hour(6_000, 600); hours]);
        Usual::at(&history, Timestamp::of_hour(MONDAY + hours as i64)).expect("four weeks").requests.median
    };
    assert!(usual(3) <= 600);
    assert!(usual(21) <= 600);
    assert_eq!(usual(22), 6_000);
}

#[test]
fn the_last_hour_says_how_busy_the_day_is_up_to_twice_the_weeks() {
    let usual = |last: u64| {
        let history = weeks(4);
        let mut morning: Vec<Hour> =
            (0..11).map(|at| history.at(MONDAY - 168 + at).unwrap_or_default()).collect();
        morning.push(hour(last, 60));
        let history = history.extended(MONDAY, &morning);
        Usual::at(&history, Timestamp::of_hour(MONDAY + 12)).expect("four weeks").requests.median
    };
    assert_eq!((usual(300), usual(900), usual(6_000)), (600, 900, 1_200));
}

#[test]
fn a_young_key_is_judged_late_and_generously() {
    let day = History::default().extended(MONDAY, &vec![hour(100, 1); 23]);
    assert_eq!(Usual::at(&day, Timestamp::of_hour(MONDAY + 23)), None);
    let days = History::default().extended(MONDAY, &vec![hour(100, 1); 30]);
    assert_eq!(Usual::at(&days, Timestamp::of_hour(MONDAY + 30)).expect("a day").requests.median, 300);
}

#[test]
fn hours_before_the_first_request_are_no_history() {
    let mut hours = vec![hour(0, 0); 50];
    hours.extend(vec![hour(5, 1); 10]);
    let history = History::default().extended(MONDAY, &hours);
    assert_eq!((history.at(MONDAY + 49), history.at(MONDAY + 50)), (None, Some(hour(5, 1))));
    assert_eq!(history.next(), Some(MONDAY + 60));
    let later = history.extended(MONDAY + 60 + 2_000, &[hour(7, 1)]);
    assert_eq!(later.hours().len() as i64, KEPT_HOURS);
    assert_eq!(later.at(MONDAY + 2_060), Some(hour(7, 1)));
}

#[test]
fn a_history_is_made_of_rollups_and_kept_flat() {
    let used = ModelUse {
        cost: NanoUsd::from_nano(9),
        estimated: NanoUsd::from_nano(4),
        requests: 2,
        ..ModelUse::default()
    };
    let user = UserUse { user: None, requests: 2, models: [("a/b".to_owned(), used)].into() };
    let rollup = |hour, shard| Rollup {
        version: 1,
        tenant: "acme".into(),
        key_id: "k".into(),
        hour,
        shard,
        requests: 2,
        users: vec![user.clone()],
        cache: Default::default(),
    };
    let history = History::default().with(10, 13, &[rollup(10, 0), rollup(12, 0), rollup(12, 3)]);
    let summed = Hour { cost: NanoUsd::from_nano(10), requests: 4 };
    assert_eq!((history.at(11), history.at(12)), (Some(Hour::default()), Some(summed)));
    let stored = serde_json::to_string(&history).expect("JSON");
    assert_eq!(stored, r#"{"first":10,"hours":[5,2,0,0,10,4]}"#);
    assert_eq!(serde_json::from_str::<History>(&stored).expect("read back"), history);
}

#[test]
fn the_window_is_the_last_minute() {
    let bucket = |back: i64| Bucket { slice: slice(now()) - back, requests: 1, cost: 5, clipped: 3 };
    let buckets: Vec<Bucket> = [-1, 0, 2, 3, 5, 6, 400].map(bucket).into();
    let seen = Seen::until(now(), &buckets);
    assert_eq!((seen.requests, seen.cost.nano(), seen.clipped.nano()), (4, 20, 12));
    assert_eq!((seen.late_requests, seen.late_clipped.nano()), (2, 6));
}

#[test]
fn more_requests_or_dearer_ones_are_an_anomaly_and_set_the_pace() {
    // 10 requests and a dollar a minute are usual: 30, and 6 deviations of 2.5, and 3 times the root of 30.
    assert_eq!(judged(&seen(60, 600), None), None);
    let Some(Step::Slow(by_number)) = judged(&seen(61, 610), None) else { panic!("not slowed") };
    assert_eq!((by_number.state, by_number.pace), (ScopeState::Throttled, 47));
    assert_eq!(by_number.until, now() + Settings::default().cool_down);
    let Some(Step::Slow(by_cost)) = judged(&seen(20, 2_000), None) else { panic!("not slowed") };
    assert_eq!(by_cost.pace, 8, "of requests at a dollar each");
    // In half a minute 20, and 6 deviations of 1.25, and 3 times the root of 20.
    let late = Seen { late_requests: 40, ..seen(40, 400) };
    assert!(judged(&late, None).is_some(), "half a minute has a limit of its own");
    assert_eq!(judged(&Seen { late_requests: 39, ..late }, None), None);
}

#[test]
fn what_is_small_is_no_anomaly() {
    let usual = Usual::default();
    for (seen, is_anomaly) in
        [(seen(30, 5), false), (seen(31, 5), true), (seen(15, 6), true), (seen(14, 900), false)]
    {
        let step = judge(&Settings::default(), &usual, &seen, None, now());
        assert_eq!(step.is_some(), is_anomaly, "{seen:?}");
    }
}

#[test]
fn a_slowed_key_that_presses_on_is_stopped_and_one_that_does_not_is_let_go() {
    let pressing = seen(46, 460);
    for (state, age, left, seen, step) in [
        (ScopeState::Throttled, 60, 1_000, pressing, "nothing"),
        (ScopeState::Throttled, 300, 1_000, pressing, "stop"),
        (ScopeState::Throttled, 300, 1_000, seen(12, 120), "nothing"),
        (ScopeState::Stopped, 300, 1_000, pressing, "nothing"),
        (ScopeState::Throttled, 1_800, 0, seen(12, 120), "release"),
        (ScopeState::Stopped, 1_800, 0, seen(0, 0), "release"),
        (ScopeState::Stopped, 1_800, 0, seen(400, 4_000), "slow"),
        (ScopeState::Active, 300, 1_000, seen(400, 4_000), "nothing"),
        (ScopeState::Active, 90_000, 0, seen(400, 4_000), "slow"),
        (ScopeState::Active, 90_000, 0, seen(4, 40), "nothing"),
    ] {
        let standing = throttle(state, age, left);
        let came = match judged(&seen, Some(&standing)) {
            None => "nothing",
            Some(Step::Slow(_)) => "slow",
            Some(Step::Stop(next)) => {
                assert_eq!((next.state, next.since), (ScopeState::Stopped, now()));
                "stop"
            }
            Some(Step::Release) => "release",
        };
        assert_eq!(came, step, "{state} for {age} s, {seen:?}");
    }
}

#[test]
fn one_dear_line_counts_as_a_few() {
    let usual = Usual::at(&weeks(4), Timestamp::of_hour(MONDAY + 12)).expect("four weeks");
    let dear = usual.clip(NanoUsd::from_nano(50 * DOLLAR));
    assert_eq!(dear.nano(), usual.per_request as i64 * CLIP);
    assert_eq!(usual.clip(NanoUsd::from_nano(5)), NanoUsd::from_nano(5));
    assert_eq!(Usual::default().clip(NanoUsd::from_nano(5)), NanoUsd::from_nano(5));
}
