use crate::demo::script::{Fault, Script, ScriptError};

use super::millis;

fn parse(text: &str) -> Result<Script, ScriptError> {
    text.parse()
}

fn fault(text: &str) -> Fault {
    parse(text).unwrap().fault.unwrap()
}

fn message(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn steps_add_up() {
    let script = parse("tokens-9+delay-500+pace-20+nousage+cut-3").unwrap();
    let expected = Script {
        tokens: Some(9),
        delay: millis(500),
        pace: millis(20),
        usage: false,
        tool: false,
        deaf: false,
        fault: Some(Fault::Cut(3)),
    };
    assert_eq!(script, expected);
    assert_eq!(parse("ok").unwrap(), Script::default());
    assert!(parse("tool").unwrap().tool);
    assert!(parse("deaf").unwrap().deaf);
}

#[test]
fn every_fault_has_its_step() {
    assert_eq!(fault("429"), Fault::Status { code: 429, retry_after: None });
    assert_eq!(fault("429-retry-2"), Fault::Status { code: 429, retry_after: Some(2) });
    for code in [408, 500, 502, 503, 529] {
        assert_eq!(fault(&code.to_string()), Fault::Status { code, retry_after: None });
    }
    assert_eq!(fault("hang"), Fault::Hang);
    assert_eq!(fault("stall-4"), Fault::Stall(4));
    assert_eq!(fault("cut-0"), Fault::Cut(0));
    assert_eq!(fault("reset-1"), Fault::Reset(1));
    assert_eq!(fault("badjson-2"), Fault::BadJson(2));
    assert_eq!(fault("badframe-2"), Fault::BadFrame(2));
    assert_eq!(fault("error-0"), Fault::Error { after: 0, code: 500 });
    assert_eq!(fault("error-3-529"), Fault::Error { after: 3, code: 529 });
}

#[test]
fn what_cannot_be_acted_out_is_refused_by_name() {
    let cases = [
        ("", "the script is empty"),
        ("gpt-4o", "unknown step `gpt-4o`"),
        ("ok+jump", "unknown step `jump`"),
        ("ok+", "unknown step ``"),
        ("ok-1", "step `ok-1` takes no argument"),
        ("500-3", "step `500-3` takes no argument"),
        ("cut", "step `cut` takes a number of tokens, at most 100000"),
        ("cut--1", "step `cut--1` takes a number of tokens, at most 100000"),
        ("tokens-100001", "step `tokens-100001` takes a number of tokens, at most 100000"),
        ("delay-soon", "step `delay-soon` takes milliseconds, at most 3600000"),
        ("429-2", "step `429-2` takes `429-retry-SECONDS`"),
        ("error", "step `error` takes a number of tokens, at most 100000"),
        ("error-3-404", "step `error-3-404` takes `error-TOKENS-CODE`, CODE 424, 429, 500, 503 or 529"),
        ("cut-1+cut-2", "step `cut-2` repeats an earlier one"),
        ("429+hang", "steps `429` and `hang` cannot both happen"),
    ];
    for (script, expected) in cases {
        assert_eq!(message(script), expected, "{script}");
    }
}
