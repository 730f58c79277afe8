//! What is the same in every dialect.

use std::time::Instant;

use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use super::dialect::{Ask, DIALECTS, Dialect};
use super::said::Said;
use super::{End, Provider, millis};

const SENTENCE: &str = "This is a scripted answer from the demo provider. You said: one two three four";

fn weather() -> Value {
    json!({
        "type": "object",
        "properties": { "city": { "type": "string" }, "days": { "type": "integer" } },
        "required": ["city", "days"],
    })
}

fn text(text: &str, reason: &'static str, usage: (u64, u64)) -> Said {
    Said {
        begun: true,
        text: text.to_owned(),
        reason: Some(reason),
        usage: Some(usage),
        ended: true,
        ..Said::default()
    }
}

#[tokio::test]
async fn an_answer_says_the_same_streamed_and_plain_in_every_dialect() {
    let provider = Provider::start().await;
    for dialect in DIALECTS {
        let [plain, stream] = dialect.both(&provider, "ok").await;
        assert_eq!((plain.status, stream.status), (200, 200));
        assert_eq!((&plain.end, &stream.end), (&End::Complete, &End::Complete));
        let expected = text(SENTENCE, "stop", (4, 15));
        assert_eq!(dialect.read_plain(&plain), expected, "{dialect:?}");
        assert_eq!(dialect.read_stream(&stream), expected, "{dialect:?}");
    }
    assert_eq!(provider.demo.calls("ok"), 6);
    let charged = provider.demo.charged("ok");
    assert_eq!((charged.prompt_tokens, charged.completion_tokens), (24, 90));
}

#[tokio::test]
async fn a_limit_cuts_the_answer_and_says_so() {
    let provider = Provider::start().await;
    for dialect in DIALECTS {
        let expected = text("This is a", "length", (4, 3));
        let plain = dialect.plain("ok").limit(3).send(&provider).await;
        assert_eq!(dialect.read_plain(&plain), expected);
        let stream = dialect.stream("ok").limit(3).send(&provider).await;
        assert_eq!(dialect.read_stream(&stream), expected);
        let exact = dialect.stream("tokens-3").limit(3).send(&provider).await;
        assert_eq!(dialect.read_stream(&exact), text("This is a", "stop", (4, 3)));
    }
}

#[tokio::test]
async fn a_limit_of_nothing_is_refused_except_by_messages() {
    let provider = Provider::start().await;
    for (dialect, status) in DIALECTS.into_iter().zip([400, 200, 400]) {
        assert_eq!(dialect.plain("ok").limit(0).send(&provider).await.status, status);
    }
    let nothing = Dialect::Messages.stream("ok").limit(0).send(&provider).await;
    assert_eq!(Dialect::Messages.read_stream(&nothing), text("", "length", (4, 0)));
}

#[tokio::test]
async fn the_system_prompt_counts() {
    let provider = Provider::start().await;
    for dialect in DIALECTS {
        let plain = dialect.plain("tokens-1").system("be very brief").send(&provider).await;
        assert_eq!(dialect.read_plain(&plain).usage, Some((7, 1)), "{dialect:?}");
    }
}

#[tokio::test]
async fn tools_are_called_with_arguments_that_fit() {
    let provider = Provider::start().await;
    for dialect in DIALECTS {
        let ask = |ask: Ask| ask.tool("first", &weather()).tool("second", &json!({}));
        let plain = dialect.read_plain(&ask(dialect.plain("tool")).send(&provider).await);
        let stream = dialect.read_stream(&ask(dialect.stream("tool")).send(&provider).await);
        assert_eq!(plain, stream, "{dialect:?}");
        assert_eq!((plain.tool.as_deref(), plain.reason), (Some("first"), Some("tool")));
        let arguments: Value = serde_json::from_str(&plain.arguments).unwrap();
        assert_eq!(arguments, json!({ "city": "demo", "days": 1 }));

        let named = ask(dialect.stream("tool")).choose("second").send(&provider).await;
        assert_eq!(dialect.read_stream(&named).tool.as_deref(), Some("second"));
        let unknown = ask(dialect.stream("tool")).choose("third").send(&provider).await;
        assert_eq!(dialect.read_stream(&unknown).tool, None);
    }
}

#[tokio::test]
async fn arguments_that_are_cut_short_are_still_an_answer() {
    let provider = Provider::start().await;
    for dialect in DIALECTS {
        let ask = |ask: Ask| ask.tool("first", &weather()).limit(2);
        let plain = dialect.read_plain(&ask(dialect.plain("tool")).send(&provider).await);
        assert_eq!((plain.tool.as_deref(), plain.reason), (Some("first"), Some("length")));
        let stream = dialect.read_stream(&ask(dialect.stream("tool")).send(&provider).await);
        assert_eq!((&*stream.arguments, stream.reason), (r#"{"city":"dem"#, Some("length")));
    }
}

#[tokio::test]
async fn a_fault_in_a_tool_call_comes_after_its_head() {
    let provider = Provider::start().await;
    for dialect in DIALECTS {
        let stream = dialect.stream("tool+cut-1").tool("first", &weather()).send(&provider).await;
        let said = dialect.read_stream(&stream);
        assert_eq!((said.tool.as_deref(), &*said.arguments), (Some("first"), r#"{"city"#));
        assert_eq!((said.reason, said.ended), (None, false));
    }
}

#[tokio::test]
async fn a_tool_result_is_answered_with_text_in_every_dialect() {
    let provider = Provider::start().await;
    for dialect in DIALECTS {
        let ask = dialect.plain("tool").tool("get_weather", &weather()).tool_result("sunny all day");
        let said = dialect.read_plain(&ask.send(&provider).await);
        let sentence = "This is a scripted answer from the demo provider. The tool said: sunny all day";
        assert_eq!((&*said.text, said.reason, said.tool), (sentence, Some("stop"), None));
        assert_eq!(said.usage.unwrap().0, 7, "{dialect:?}");
    }
}

#[tokio::test]
async fn structured_answers_fit_in_every_dialect() {
    let provider = Provider::start().await;
    for dialect in DIALECTS {
        let stream = dialect.stream("ok").schema(&weather()).send(&provider).await;
        let document: Value = serde_json::from_str(&dialect.read_stream(&stream).text).unwrap();
        assert_eq!(document, json!({ "city": "demo", "days": 1 }), "{dialect:?}");
    }
}

#[tokio::test]
async fn without_usage_an_answer_is_complete_but_uncounted() {
    let provider = Provider::start().await;
    for dialect in DIALECTS {
        let [plain, stream] = dialect.both(&provider, "nousage").await;
        let expected = Said { usage: None, ..text(SENTENCE, "stop", (0, 0)) };
        assert_eq!(dialect.read_plain(&plain), expected);
        assert_eq!(dialect.read_stream(&stream), expected);
    }
    assert_eq!(provider.demo.charged("nousage").completion_tokens, 90);
}

#[tokio::test]
async fn tokens_delay_and_pace_hold_in_every_dialect() {
    let provider = Provider::start().await;
    for dialect in DIALECTS {
        let model = "delay-60+pace-20+tokens-4";
        for ask in [dialect.plain(model), dialect.stream(model)] {
            let begun = Instant::now();
            assert_eq!(ask.send(&provider).await.end, End::Complete);
            assert!(begun.elapsed() >= millis(120), "{dialect:?}");
        }
    }
    assert_eq!(provider.demo.charged("delay-60+pace-20+tokens-4").completion_tokens, 24);
}

#[tokio::test]
async fn whoever_leaves_is_charged_as_far_as_the_answer_got_in_every_dialect() {
    let provider = Provider::start().await;
    for dialect in DIALECTS {
        let model = format!("pace-5+tokens-{}", 1000 + dialect as usize);
        let mut connection = dialect.stream(&model).open(&provider).await;
        let mut seen = Vec::new();
        while seen.len() < 2000 {
            connection.read_buf(&mut seen).await.unwrap();
        }
        drop(connection);
        tokio::time::sleep(millis(100)).await;
        let left = provider.demo.charged(&model);
        tokio::time::sleep(millis(100)).await;
        assert_eq!(provider.demo.charged(&model), left);
        assert_eq!(left.prompt_tokens, 4);
        assert!((3..200).contains(&left.completion_tokens), "{dialect:?} {left:?}");
    }
}

#[tokio::test]
async fn a_behaviour_holds_in_every_dialect() {
    let provider = Provider::start().await;
    provider.demo.set_behaviour("demo/primary", "503").unwrap();
    for dialect in DIALECTS {
        assert_eq!(dialect.plain("primary").send(&provider).await.status, 503);
    }
    assert_eq!(provider.demo.calls("primary"), 3);
}
