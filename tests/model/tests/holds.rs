//! The protocol holds in every setting.

use std::time::Instant;

use model::{Setting, search};

/// A search that saw less than this saw less than it should.
fn hold(setting: Setting, states_min: usize) {
    let begun = Instant::now();
    let outcome = search(setting, None);
    println!(
        "{}: {} states, {} steps, {} counters, {:.1} s",
        outcome.setting,
        outcome.states,
        outcome.steps,
        outcome.counters,
        begun.elapsed().as_secs_f32()
    );
    if let Some(violation) = outcome.violation {
        panic!("{}: {violation}", outcome.setting);
    }
    assert!(outcome.states >= states_min, "only {} states", outcome.states);
}

#[test]
fn three_requests_in_one_scope() {
    hold(Setting::one_scope(), 50_000);
}

#[test]
fn two_requests_in_two_scopes() {
    hold(Setting::two_scopes(), 35_000);
}

#[test]
fn two_requests_over_two_shards_and_a_scope() {
    hold(Setting::shards(), 700_000);
}

#[test]
fn a_period_that_ends_between_any_two_steps() {
    hold(Setting::rollover(), 200_000);
}

#[test]
fn counters_that_are_created_by_a_reserve_or_fenced_before() {
    hold(Setting::opening(), 30_000);
}

#[test]
fn three_requests_in_two_scopes() {
    hold(Setting::three_requests(), 3_000_000);
}
