//! The readers of replies notice what they are for.

use std::panic::{AssertUnwindSafe, catch_unwind};

use dialects::told;
use shared::protocol::dialect::Dialect;

const CHAT: &str = r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":null,"choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":null,"choices":[{"index":0,"delta":{"content":"hi"},"logprobs":null,"finish_reason":"stop"}]}

data: [DONE]

"#;

const MESSAGES: &str = r#"event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"usage":{"input_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":1}}

event: message_stop
data: {"type":"message_stop"}

"#;

const RESPONSES: &str = r#"event: response.created
data: {"type":"response.created","sequence_number":0}

event: response.in_progress
data: {"type":"response.in_progress","sequence_number":1}

event: response.output_item.added
data: {"type":"response.output_item.added","sequence_number":2,"output_index":0,"item":{"type":"function_call","id":"fc_1","call_id":"c","name":"f","arguments":"","status":"in_progress"}}

event: response.function_call_arguments.delta
data: {"type":"response.function_call_arguments.delta","sequence_number":3,"output_index":0,"item_id":"fc_1","delta":"{}"}

event: response.output_item.done
data: {"type":"response.output_item.done","sequence_number":4,"output_index":0,"item":{"type":"function_call","id":"fc_1","call_id":"c","name":"f","arguments":"{}","status":"completed"}}

event: response.completed
data: {"type":"response.completed","sequence_number":5,"response":{"object":"response","status":"completed","completed_at":1,"incomplete_details":null,"output":[{"type":"function_call","id":"fc_1","call_id":"c","name":"f","arguments":"{}","status":"completed"}],"usage":null}}

"#;

fn is_read(dialect: Dialect, stream: &str) -> bool {
    catch_unwind(AssertUnwindSafe(|| told::streamed(dialect, stream))).is_ok()
}

#[test]
fn a_reply_by_the_rules_is_read() {
    assert_eq!(told::streamed(Dialect::OpenAi, CHAT).choices[0].text, "hi");
    assert_eq!(told::streamed(Dialect::Anthropic, MESSAGES).choices[0].text, "hi");
    assert_eq!(told::streamed(Dialect::Responses, RESPONSES).choices[0].calls[0].arguments, "{}");
}

#[test]
fn a_reply_that_breaks_them_is_not() {
    let cases = [
        (Dialect::OpenAi, CHAT, "data: [DONE]\n\n", ""),
        (Dialect::OpenAi, CHAT, "\"role\":\"assistant\",", ""),
        (
            Dialect::OpenAi,
            CHAT,
            "\"created\":1,\"model\":\"m\",\"system_fingerprint\":null,\"choices\":[{\"index\":0,\"delta\":{\"content\"",
            "\"created\":2,\"model\":\"m\",\"system_fingerprint\":null,\"choices\":[{\"index\":0,\"delta\":{\"content\"",
        ),
        (Dialect::OpenAi, CHAT, "\n\ndata: [DONE]", "\ndata: [DONE]"),
        (
            Dialect::Anthropic,
            MESSAGES,
            "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
            "",
        ),
        (
            Dialect::Anthropic,
            MESSAGES,
            "\"type\":\"text_delta\",\"text\"",
            "\"type\":\"thinking_delta\",\"thinking\"",
        ),
        (Dialect::Anthropic, MESSAGES, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", ""),
        (Dialect::Anthropic, MESSAGES, "event: message_delta", "event: message_end"),
        (Dialect::Responses, RESPONSES, "\"sequence_number\":4", "\"sequence_number\":5"),
        (Dialect::Responses, RESPONSES, "\"delta\":\"{}\"", "\"delta\":\"{\""),
        (Dialect::Responses, RESPONSES, "\"item_id\":\"fc_1\"", "\"item_id\":\"fc_2\""),
        (Dialect::Responses, RESPONSES, "\"status\":\"completed\"}],", "\"status\":\"in_progress\"}],"),
    ];
    for (dialect, stream, from, to) in cases {
        let broken = stream.replacen(from, to, 1);
        assert_ne!(broken, stream, "{from}");
        assert!(!is_read(dialect, &broken), "{from} may be {to}");
    }
}
