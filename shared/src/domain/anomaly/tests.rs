use super::*;
use crate::domain::counter::ScopeState;
use crate::domain::policy::Throttle;
use crate::domain::rollup::{Minutes, ModelUse, Rollup, UserUse};
use crate::domain::time::Timestamp;

/// A Monday, 00:00.
const MONDAY: i64 = 4 + 7 * 24 * 2_800;
const DOLLAR: i64 = 1_000_000_000;

/// Somewhat evener than at random.
fn hour(requests: u64, dollars: i64) -> Hour {
    Hour { requests, busiest: requests / 60 + 4, cost: NanoUsd::from_nano(dollars * DOLLAR) }
}

/// So many weeks: 600 requests and 60 dollars an hour by day, nothing at night.
fn weeks(count: i64) -> History {
    let hours =
        (0..count * 168).map(|at| if (8..18).contains(&(at % 24)) { hour(600, 60) } else { Hour::default() });
    let hours: Vec<Hour> = std::iter::once(hour(1, 0)).chain(hours.skip(1)).collect();
    History::default().extended(MONDAY - count * 168, &hours)
}

/// So many weeks, and of this Monday what the weeks say until an hour before `at`, in which there were `last`.
fn until(at: i64, last: Hour) -> History {
    let history = weeks(4);
    let mut today: Vec<Hour> =
        (0..at - 1).map(|at| history.at(MONDAY - 168 + at).unwrap_or_default()).collect();
    today.push(last);
    history.extended(MONDAY, &today)
}

/// So many seconds into an hour of this Monday, of which so many were seen before the window.
fn usual(history: &History, at: i64, into: u64, earlier: u64) -> Usual {
    let now = Timestamp::of_hour(MONDAY + at) + Duration::from_secs(into);
    let earlier_cost = NanoUsd::from_nano(i64::try_from(earlier).expect("few") * DOLLAR / 10);
    let seen = Seen { earlier_requests: earlier, earlier_cost, ..Seen::default() };
    Weeks::at(history, MONDAY + at).expect("known").usual(&seen, now)
}

fn now() -> Timestamp {
    Timestamp::of_hour(MONDAY + 12) + Duration::from_secs(1_800)
}

fn seen(requests: u64, cents: i64) -> Seen {
    let cost = NanoUsd::from_nano(cents * DOLLAR / 100);
    Seen { requests, cost, clipped: cost, ..Seen::default() }
}

/// Half an hour into an hour that is as all are.
fn judged(seen: &Seen, standing: Option<&Throttle>) -> Option<Step> {
    let usual = usual(&until(12, hour(600, 60)), 12, 1_800, 292);
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
    let expected = |history: &History, at| usual(history, at, 1_800, 292).requests / 100;
    assert_eq!((expected(&clean, 2), expected(&wild, 2)), (0, 0));
    assert_eq!((expected(&clean, 12), expected(&wild, 12)), (100, 100));
    assert_eq!(usual(&wild, 12, 1_800, 0).clump, usual(&clean, 12, 1_800, 0).clump);
}

#[test]
fn an_hour_is_what_it_was_in_other_weeks_and_an_hour_early_or_late_half_of_it() {
    let expected = |at: i64, into: u64| usual(&weeks(4), at, into, 0).requests;
    let early = [expected(6, 1_800), expected(7, 0), expected(7, 1_800), expected(8, 0)];
    assert_eq!(early, [0, 5_000, 5_000, 8_000]);
    assert_eq!([expected(12, 0), expected(18, 0), expected(19, 0)], [10_000, 5_000, 0]);
}

#[test]
fn a_new_level_is_usual_once_it_has_lasted_for_a_day_and_as_long_as_it_lasts() {
    let expected = |hours: usize, then: u64| {
        let mut today = vec![hour(6_000, 600); hours];
        today.push(hour(then, 60));
        let history = weeks(4).extended(MONDAY, &today);
        usual(&history, hours as i64 + 1, 0, 0).requests
    };
    assert_eq!((expected(2, 6_000), expected(20, 6_000), expected(21, 6_000)), (0, 0, 100_000));
    assert!(expected(22, 600) <= 10_000);
}

#[test]
fn a_busy_day_is_followed_up_to_three_times_the_weeks() {
    let by_last = |last: u64| usual(&until(12, hour(last, 60)), 12, 1_800, 0).requests / 100;
    // Nothing seen so far half an hour into it makes up for most of that.
    assert_eq!((by_last(300), by_last(1_200), by_last(60_000)), (76, 95, 116));
    let at_first = |last: u64| usual(&until(12, hour(last, 60)), 12, 0, 0).requests / 100;
    assert_eq!((at_first(300), at_first(1_200), at_first(60_000)), (100, 198, 300));
    let by_this = |earlier: u64| usual(&until(12, hour(600, 60)), 12, 1_800, earlier).requests / 100;
    assert_eq!((by_this(290), by_this(580), by_this(60_000)), (99, 195, 300));
}

#[test]
fn an_hour_is_known_by_its_requests_and_by_its_minutes() {
    let known = |into: u64| usual(&weeks(4), 12, into, 0).known;
    assert_eq!((known(60), known(360), known(1_800), known(3_599)), (2, 365, 798, 891));
}

#[test]
fn a_young_key_is_judged_late_and_generously() {
    let day = |hours: usize| History::default().extended(MONDAY, &vec![hour(100, 1); hours]);
    assert_eq!(Weeks::at(&day(23), MONDAY + 23), None);
    let usual = usual(&day(30), 30, 0, 0);
    assert_eq!((usual.requests, usual.clump, usual.burst, usual.is_unsure), (5_000, 5_000, 5_000, true));
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
        minutes: Minutes::try_from(format!("1{}1", ",".repeat(2 + usize::from(shard) / 3))).expect("minutes"),
        users: vec![user.clone()],
        cache: Default::default(),
    };
    let history = History::default().with(10, 13, &[rollup(10, 0), rollup(12, 0), rollup(12, 3)]);
    let summed = Hour { cost: NanoUsd::from_nano(10), requests: 4, busiest: 2 };
    assert_eq!((history.at(11), history.at(12)), (Some(Hour::default()), Some(summed)));
    let stored = serde_json::to_string(&history).expect("JSON");
    assert_eq!(stored, r#"{"first":10,"triples":[5,2,1,0,0,0,10,4,2]}"#);
    assert_eq!(serde_json::from_str::<History>(&stored).expect("read back"), history);
}

#[test]
fn the_window_is_the_last_minute_and_the_hour_before_it_is_told_apart() {
    let bucket = |back: i64| Bucket { slice: slice(now()) - back, requests: 1, cost: 5, clipped: 3 };
    let buckets: Vec<Bucket> = [-1, 0, 2, 3, 5, 6, 400].map(bucket).into();
    let part = |hour: i64| Part { hour: MONDAY + hour, requests: 50, cost: 250, buckets: buckets.clone() };
    let seen = Seen::until(now(), &[part(12), part(11)]);
    assert_eq!((seen.requests, seen.cost.nano(), seen.clipped.nano()), (8, 40, 24));
    assert_eq!((seen.late_requests, seen.late_clipped.nano()), (4, 12));
    assert_eq!((seen.earlier_requests, seen.earlier_cost.nano()), (46, 230));
}

#[test]
fn more_requests_or_dearer_ones_are_an_anomaly_and_set_the_pace() {
    // 10 requests and a dollar a minute are usual, one by one: 1.8 times that, twice its root, and 3, are
    // 29. Three times 10 are no anomaly either. The busiest minutes of other weeks had 14.
    assert_eq!(judged(&seen(30, 300), None), None);
    let Some(Step::Slow(by_number)) = judged(&seen(31, 310), None) else { panic!("not slowed") };
    assert_eq!((by_number.state, by_number.pace), (ScopeState::Throttled, 30));
    assert_eq!(by_number.until, now() + Settings::default().cool_down);
    let Some(Step::Slow(by_cost)) = judged(&seen(20, 2_000), None) else { panic!("not slowed") };
    assert_eq!(by_cost.pace, 7, "of requests at a dollar each");
    // Of half of it 18, and 28 is twice those of the busiest minute.
    let late = Seen { late_requests: 29, ..seen(29, 290) };
    assert!(judged(&late, None).is_some(), "half a minute has a limit of its own");
    assert_eq!(judged(&Seen { late_requests: 28, ..late }, None), None);
}

#[test]
fn a_job_is_no_anomaly_at_its_hour_and_clumps_are_none_at_all() {
    let with = |busiest: u64, every: i64| {
        let hours: Vec<Hour> = (0..672)
            .map(|at| Hour { busiest: if at % every == 3 { busiest } else { 1 }, ..hour(30, 3) })
            .collect();
        History::default().extended(MONDAY - 672, &hours)
    };
    let limit =
        |history: &History, at: i64| Limit::of(&Settings::default(), &usual(history, at, 0, 0)).requests;
    assert_eq!((limit(&with(30, 168), 3), limit(&with(30, 168), 12)), (60, 15), "a job once a week");
    assert!(limit(&with(20, 24), 12) > 40, "clumps of twenty every day");
}

#[test]
fn what_is_small_is_no_anomaly() {
    let usual = Usual::default();
    for (seen, is_anomaly) in
        [(seen(15, 5), false), (seen(16, 5), true), (seen(15, 6), true), (seen(14, 900), false)]
    {
        let step = judge(&Settings::default(), &usual, &seen, None, now());
        assert_eq!(step.is_some(), is_anomaly, "{seen:?}");
    }
}

#[test]
fn a_slowed_key_that_presses_on_is_stopped_and_one_that_does_not_is_let_go() {
    // Three quarters of 30, and no anomaly by itself.
    let pressing = seen(23, 230);
    for (state, age, left, seen, step) in [
        (ScopeState::Throttled, 60, 1_000, pressing, "nothing"),
        (ScopeState::Throttled, 300, 1_000, pressing, "stop"),
        (ScopeState::Throttled, 300, 1_000, seen(22, 220), "nothing"),
        (ScopeState::Throttled, 300, 1_000, seen(20, 2_000), "stop"),
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
fn a_key_of_free_models_that_goes_back_to_what_it_did_is_not_stopped() {
    let hours = vec![Hour { cost: NanoUsd::ZERO, ..hour(600, 0) }; 672];
    let free = usual(&History::default().extended(MONDAY - 660, &hours), 12, 1_800, 292);
    let slowed = throttle(ScopeState::Throttled, 400, 1_000);
    let step = |requests: u64| judge(&Settings::default(), &free, &seen(requests, 0), Some(&slowed), now());
    assert_eq!(step(10), None);
    assert!(matches!(step(25), Some(Step::Stop(_))));
}

#[test]
fn one_dear_line_counts_as_a_few() {
    assert_eq!(weeks(4).clip() / 1_000_000, 1_599, "sixteen times a tenth of a dollar");
    let free = History::default().extended(MONDAY, &[hour(5, 0)]);
    assert_eq!(free.clip(), i64::MAX, "nothing to compare with");
}
