//! Two thousand worlds, a crash at every moment of some, and worlds over stores that are broken on
//! purpose, which must be found out.

use simulator::{Broken, Options, campaign, simulate};

const SEEDS: u64 = 2_000;

fn told(failures: &[simulator::Outcome]) -> String {
    failures.iter().map(|failure| format!("\n\n{failure}")).collect()
}

#[test]
fn two_thousand_worlds_violate_nothing_and_leave_nothing_out() {
    let done = campaign(0..SEEDS, 3, &Options::default());
    println!("{}", done.tally);
    assert!(done.failures.is_empty(), "{}", told(&done.failures));
    assert_eq!((done.tally.worlds, done.tally.overspend), (SEEDS, 0));
    for (what, count) in done.tally.counts() {
        assert!(count > 0, "no {what} in any of the worlds");
    }
}

#[test]
fn a_crash_at_any_moment_loses_and_leaks_nothing() {
    let mut crashes = 0;
    for seed in 0..12 {
        let options = |moment| Options { requests: Some(3), crash_at: Some(moment), ..Options::default() };
        let unharmed = simulate(seed, &options(u64::MAX));
        assert!(unharmed.violation.is_none(), "{unharmed}");
        for moment in 0..unharmed.moments {
            let outcome = simulate(seed, &options(moment));
            assert!(outcome.violation.is_none(), "killed at moment {moment}: {outcome}");
            crashes += outcome.tally.crashes;
        }
    }
    assert!(crashes > 500, "only {crashes} were killed");
}

#[test]
fn a_seed_is_one_world() {
    for seed in 0..20 {
        let first = simulate(seed, &Options::default());
        assert_eq!(first, simulate(seed, &Options::default()));
        let told = simulate(seed, &Options { is_told: true, ..Options::default() });
        assert_eq!((told.fingerprint, told.tally), (first.fingerprint, first.tally));
    }
}

/// The invariants that the worlds over `broken` violate.
fn caught(broken: Broken) -> Vec<&'static str> {
    let done = campaign(0..SEEDS, 1, &Options { broken: Some(broken), ..Options::default() });
    println!("{broken:?} after {} worlds:{}", done.tally.worlds, told(&done.failures));
    let violated: Vec<_> = done.failures.iter().filter_map(|failure| failure.violation.as_ref()).collect();
    assert!(!violated.is_empty(), "{broken:?} stays unnoticed");
    violated.iter().map(|violation| violation.invariant).collect()
}

/// Each is noticed by its money, and not because something stopped.
macro_rules! caught {
    ($($name:ident: $broken:ident violates $($invariant:literal)|+),+ $(,)?) => {
        $(
            #[test]
            fn $name() {
                let violated = caught(Broken::$broken);
                assert!(violated.iter().all(|name| [$($invariant),+].contains(name)), "{violated:?}");
            }
        )+
    };
}

caught! {
    a_hold_that_is_too_small_is_caught: HoldsTooLittle violates "bound" | "admission",
    a_check_before_the_write_instead_of_in_it_is_caught: ChecksThenIncrements violates "bound" | "admission",
    a_reserve_that_is_sent_again_is_caught: ResendsReserves violates "conservation" | "exactly once",
    a_close_without_its_condition_is_caught: ClosesWithoutCondition violates "conservation",
    a_line_that_replaces_another_is_caught: PutsWithoutCondition violates "exactly once" | "conservation",
    a_floor_that_is_ignored_is_caught: IgnoresTheFloor violates
        "bound" | "conservation" | "admission" | "attempt completeness",
    a_void_without_a_fence_is_caught: FencesNothing violates
        "conservation" | "admission" | "bound" | "attempt completeness",
    a_stop_that_is_not_obeyed_is_caught: ObeysNoStop violates "admission",
    a_cap_that_moves_without_what_remains_is_caught: RaisesTheCapAlone violates "conservation",
    a_policy_that_is_not_compared_is_caught: IgnoresTheVersion violates "admission",
    holds_that_are_not_counted_are_caught: CountsNoHolds violates "admission",
    a_policy_that_is_never_told_is_caught: TellsNoPolicy violates "no false refusal" | "no leak",
}
