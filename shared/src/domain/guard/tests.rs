use proptest::prelude::*;

use super::{Reading, Veto, Wording, veto};

fn told_apart(one: &str, other: &str) -> Option<Veto> {
    let (one, other) = (Reading::of(one), Reading::of(other));
    let found = veto(&one, &other, Wording::Same);
    assert_eq!(found.is_some(), veto(&other, &one, Wording::Same).is_some(), "the order matters");
    found
}

#[test]
fn each_difference_is_told_by_its_name() {
    for (one, other, expected) in [
        ("Do you have a table for two at noon?", "Do you have a table for 12 at noon?", Veto::Number),
        ("How far is twenty five miles on foot?", "How far is thirty miles on foot?", Veto::Number),
        ("Where is parcel 0047113?", "Where is parcel 0047131?", Veto::Number),
        ("Is a 5 kg bag enough?", "Is a 5 lb bag enough?", Veto::Unit),
        ("Does the pool open at 8am?", "Does the pool open at 8pm?", Veto::Date),
        ("Is the museum free in April?", "Is the museum free in August?", Veto::Date),
        ("Which rooms have a balcony?", "Which rooms don't have a balcony?", Veto::Negation),
        ("Can I cook without salt?", "Can I cook with salt?", Veto::Negation),
        ("Is this mushroom edible?", "Is this mushroom inedible?", Veto::Opposite),
        ("How do I enable dark mode?", "How do I disable dark mode?", Veto::Opposite),
        ("Is the lake safe for swimming?", "Is the lake dangerous for swimming?", Veto::Opposite),
        ("Is a cat allowed upstairs?", "Is a dog allowed upstairs?", Veto::Kind),
        ("How is the weather on Mars?", "How is the weather on Venus?", Veto::Kind),
        ("Did you ever meet Ada?", "Did you ever meet Grace?", Veto::Name),
        ("What does \"go ahead\" mean?", "What does \"go away\" mean?", Veto::Quote),
        ("Translate into Welsh: good day", "Translate into Welsh: good bread", Veto::Template),
        ("Convert euros to dollars", "Convert dollars to euros", Veto::Order),
        ("Is a whale bigger than a shark?", "Is a shark bigger than a whale?", Veto::Order),
        ("How do I repot an orchid?", "How do I repot a cactus?", Veto::Word),
        ("How do I repot an orchid?", "How do I repot a dead orchid?", Veto::Scope),
    ] {
        assert_eq!(told_apart(one, other), Some(expected), "{one} / {other}");
    }
}

#[test]
fn what_only_sounds_different_is_the_same() {
    for (one, other) in [
        ("How do I buy stamps?", "how can i purchase stamps"),
        ("Hi, where is the lift please?", "Where is the lift?"),
        ("Can I return shoes after 14 days?", "Can I return shoes after two weeks?"),
        ("Is it open at 2:30pm?", "Is it open at 14:30?"),
        ("Why won't it start?", "Why does it not start?"),
        ("Does it cost 1,500 dollars?", "Does it cost $1500?"),
        ("Where can I recieve parcels?", "Where can I receive parcels?"),
        ("For a tall child, which bicycle is right?", "Which bicycle is right for a tall child?"),
    ] {
        assert_eq!(told_apart(one, other), None, "{one} / {other}");
    }
}

#[test]
fn a_long_text_is_read_in_time_proportional_to_its_length() {
    let long = |words: usize| "how do I read 12 letters from Ada to \"Bob\": ".repeat(words / 10);
    let time = |text: &str| {
        let began = std::time::Instant::now();
        let (one, other) = (Reading::of(text), Reading::of(&format!("{text} more")));
        assert!(veto(&one, &other, Wording::Same).is_some());
        began.elapsed()
    };
    let (short, longer) = (long(2_000), long(20_000));
    assert!(longer.len() > 80_000);
    let (short, longer) = (time(&short), time(&longer));
    assert!(longer < short * 60 + std::time::Duration::from_millis(200), "{short:?} {longer:?}");
}

proptest! {
    #[test]
    fn no_text_is_told_from_itself(text in "\\PC{0,200}") {
        let reading = Reading::of(&text);
        prop_assert_eq!(veto(&reading, &reading, Wording::Same), None);
    }

    #[test]
    fn any_two_texts_are_read_alike_from_both_sides(one in "[a-z0-9 '\"A-Z:?$%.-]{0,80}", other in "\\PC{0,80}") {
        told_apart(&one, &other);
    }

    #[test]
    fn case_and_space_tell_no_english_questions_apart(words in prop::collection::vec("[a-z]{1,9}", 1..12)) {
        let text = words.join(" ");
        let spaced = words.join("  ").to_uppercase();
        prop_assert_eq!(told_apart(&text, &spaced), None);
    }
}
