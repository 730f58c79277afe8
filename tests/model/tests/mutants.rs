//! The test of the test: the protocol without any one of its rules fails, and is seen to fail.

use model::{Mutant, Property, Setting, Violation, search};

/// What each rule keeps from happening, as the first setting that shows it shows it.
const CAUGHT: [(Mutant, Property); 17] = [
    (Mutant::VoidOnExpiry, Property::BillIsCovered),
    (Mutant::CloseUnconditionally, Property::WithinCap),
    (Mutant::IgnoreFloor, Property::BillIsCovered),
    (Mutant::ResendReserve, Property::BooksBalance),
    (Mutant::AbandonWithoutLine, Property::RefusedIsFree),
    (Mutant::CorrectOpenHolds, Property::BooksBalance),
    (Mutant::EstimateBlindly, Property::BooksBalance),
    (Mutant::VoidOnPlainRead, Property::BillIsCovered),
    (Mutant::PutUnconditionally, Property::LinesStay),
    (Mutant::CloseBeforeLine, Property::BillIsCovered),
    (Mutant::CorrectAnyLine, Property::WithinCap),
    (Mutant::PresentPeriod, Property::NoHoldLeft),
    (Mutant::DeadlineForFloor, Property::BillIsCovered),
    (Mutant::HoldTooLittle, Property::WithinCap),
    (Mutant::CheckThenIncrement, Property::NeverNegative),
    (Mutant::SweepCorrects, Property::WithinCap),
    (Mutant::FenceLiveHolds, Property::BillIsCovered),
];

/// The first setting in which the mutant fails, and how.
fn caught(mutant: Mutant) -> Option<(&'static str, Violation)> {
    let mut outcomes = Setting::all().into_iter().map(|setting| search(setting, Some(mutant)));
    outcomes.find_map(|outcome| Some((outcome.setting, outcome.violation?)))
}

#[test]
fn every_broken_rule_is_caught_by_the_property_it_protects() {
    for (mutant, property) in CAUGHT {
        let (setting, violation) = caught(mutant).unwrap_or_else(|| panic!("{mutant:?} was not caught"));
        println!("\n{mutant:?}, {setting}: {violation}");
        assert_eq!(violation.property, property, "{mutant:?}");
        assert!(!violation.trace.is_empty());
    }
}

#[test]
fn every_mutant_is_in_the_table() {
    assert_eq!(CAUGHT.map(|(mutant, _)| mutant), Mutant::ALL);
}
