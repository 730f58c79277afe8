use proptest::prelude::*;

use super::{Bypass, bypass};

#[test]
fn what_must_not_be_kept_is_named() {
    for (text, expected) in [
        ("Is sk-proj-4fT9aQ1xZ8bLm2Nv a valid key?", Bypass::Secret),
        ("Why does AWS refuse AKIAIOSFODNN7EXAMPLE", Bypass::Secret),
        ("Decode eyJhbGciOi.eyJzdWIiOiIxMjM0.SflKxwRJSMeKKF2QT4", Bypass::Secret),
        ("My password is hunter2, is it strong?", Bypass::Secret),
        ("PIN: 4711 does not work", Bypass::Secret),
        ("-----BEGIN RSA PRIVATE KEY----- what is this", Bypass::Secret),
        ("what hashes to 9f86d081884c7d659a2feaa0c55ad015", Bypass::Secret),
        ("Write to ada.lovelace@example.org for me", Bypass::PersonalData),
        ("Call me on +44 20 7946 0958", Bypass::PersonalData),
        ("Call me on (212) 555-0187", Bypass::PersonalData),
        ("Ring 020 7946 0958 after six", Bypass::PersonalData),
        ("Is 4111 1111 1111 1111 a Visa card?", Bypass::PersonalData),
        ("Is 4111111111111111 a Visa card?", Bypass::PersonalData),
        ("Send it to GB82 WEST 1234 5698 7654 32 please", Bypass::PersonalData),
        ("Send it to DE89370400440532013000.", Bypass::PersonalData),
        ("My SSN is 078-05-1120", Bypass::PersonalData),
        ("Mi DNI es 12345678Z", Bypass::PersonalData),
        ("My number is QQ123456C", Bypass::PersonalData),
        ("What's the weather in Oslo?", Bypass::Time),
        ("Who won the match yesterday?", Bypass::Time),
        ("What is the latest iPhone?", Bypass::Time),
        ("What's the current price of gold?", Bypass::Time),
        ("How much is a barrel of oil worth now?", Bypass::Time),
        ("What time is it in Tokyo?", Bypass::Time),
        ("What's my balance?", Bypass::Personal),
        ("Where is my order?", Bypass::Personal),
        ("Show me my last three transactions", Bypass::Personal),
        ("How much do I owe?", Bypass::Personal),
        ("What is the status of my application?", Bypass::Personal),
    ] {
        assert_eq!(bypass(text), Some(expected), "{text}");
    }
}

#[test]
fn questions_that_many_ask_are_kept() {
    for text in [
        "How do I freeze my card?",
        "Can I open a current account online?",
        "My card has not arrived, what do I do?",
        "How do I check my balance?",
        "What documents do I need for my visa?",
        "How long does it take to cook 500 g of pasta?",
        "Where is parcel 48213?",
        "Who won the World Cup in 2014?",
        "What is 123456789 divided by 3?",
        "How do I reset my password?",
        "What does error 0x80070057 mean?",
        "Where do people live longest?",
        "Is 1,000,000,000 a billion?",
        "Explain the IPv4 range 192.168.0.0",
        "What happened on 2024-05-01?",
        "Which pin is ground on a USB plug?",
        "What is a token?",
        "Internationalisation-and-localisation, what is it?",
    ] {
        assert_eq!(bypass(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in "\\PC{0,300}") {
        bypass(&text);
    }

    #[test]
    fn figures_and_signs_are_read_without_panic(text in "[0-9A-Za-z @.+()/=:-]{0,120}") {
        bypass(&text);
    }
}
