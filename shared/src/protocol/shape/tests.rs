use serde_json::json;

use super::*;

fn asks(text: &str) -> ChatRequest {
    ChatRequest {
        messages: vec![Message::text(Role::System, " s "), Message::text(Role::User, text)],
        choices: 1,
        ..ChatRequest::default()
    }
}

fn with_parts(parts: Vec<Part>) -> ChatRequest {
    let mut request = asks("");
    request.messages[1].content = Content::Parts(parts);
    request
}

fn image(url: &str) -> Part {
    Part::Image { url: url.to_owned(), detail: None, cache: None }
}

/// The parts that make a partition: all but what the user said last.
fn shape(request: &ChatRequest) -> Parts {
    Parts { text: String::new(), question: None, ..parts(request) }
}

#[test]
fn the_last_user_text_is_normalised_and_nothing_else_is() {
    let question = |text: &str| parts(&asks(text)).text;
    assert_eq!(question(" cafe\u{301} "), question("caf\u{e9}"));
    assert_ne!(question("Caf\u{e9}"), question("caf\u{e9}"));
    assert_eq!(parts(&asks(" cafe\u{301} ")).question.as_deref(), Some(" cafe\u{301} "), "as it was written");
    let mut other_system = asks("hi");
    other_system.messages[0] = Message::text(Role::System, "s");
    assert_ne!(parts(&other_system), parts(&asks("hi")));
}

#[test]
fn the_shape_does_not_know_the_last_text() {
    assert_eq!(shape(&asks("one thing")), shape(&asks("another")));
    let framed = |text: &str| with_parts(vec![image("https://e.com/a.png"), Part::text(text)]);
    assert_eq!(shape(&framed("one thing")), shape(&framed("another")));
    assert_eq!(parts(&framed("one thing")).question.as_deref(), Some("one thing"));
}

#[test]
fn attachments_and_the_place_of_the_text_are_part_of_the_shape() {
    let a = with_parts(vec![image("https://e.com/a.png"), Part::text("hi")]);
    let b = with_parts(vec![image("https://e.com/b.png"), Part::text("hi")]);
    let turned = with_parts(vec![Part::text("hi"), image("https://e.com/a.png")]);
    assert_ne!(shape(&a), shape(&b));
    assert_ne!(shape(&a), shape(&turned));
    assert_ne!(shape(&asks("hi")), shape(&with_parts(vec![Part::text("hi")])));
}

#[test]
fn several_texts_are_no_question_and_are_told_apart_all_the_same() {
    let two = |first: &str| with_parts(vec![Part::text(first), Part::text("b")]);
    assert_eq!(parts(&two("a")).question, None);
    assert_ne!(parts(&two("a")), parts(&two("c")));
    assert_ne!(parts(&two("a")), parts(&with_parts(vec![Part::text("ab")])));
}

#[test]
fn a_request_that_goes_on_after_the_user_is_no_question() {
    let mut prefilled = asks("hi");
    prefilled.messages.push(Message::text(Role::Assistant, "{"));
    assert_eq!(parts(&prefilled).question, None);
    assert_ne!(shape(&prefilled), shape(&asks("hi")));
    assert_eq!(parts(&asks("  ")).question, None);
}

#[test]
fn turns_keep_their_order_and_their_roles() {
    let turn = |messages: Vec<Message>| {
        let messages = messages.into_iter().chain([Message::text(Role::User, "hi")]).collect();
        shape(&ChatRequest { messages, ..asks("hi") })
    };
    let (system, user) = (Message::text(Role::System, "x"), Message::text(Role::User, "x"));
    let assistant = Message::text(Role::Assistant, "x");
    let shapes = [
        turn(vec![system.clone(), user.clone()]),
        turn(vec![user.clone(), system.clone()]),
        turn(vec![user.clone(), assistant.clone()]),
        turn(vec![assistant, user.clone()]),
        turn(vec![Message::text(Role::Developer, "x"), user]),
    ];
    for (at, one) in shapes.iter().enumerate() {
        assert!(shapes[at + 1..].iter().all(|other| other != one), "{at}");
    }
}

#[test]
fn who_asks_is_not_in_the_shape_and_what_shapes_the_answer_is() {
    let base = shape(&asks("hi"));
    let user = ChatRequest { user: Some("u".into()), ..asks("hi") };
    assert_eq!(shape(&user), base);
    let mut stored = asks("hi");
    stored.extra.insert("metadata".into(), json!({"a": "b"}));
    stored.extra.insert("service_tier".into(), json!("standard_only"));
    assert_eq!(shape(&stored), base);
    let limited = ChatRequest { max_output_tokens: Some(5), ..asks("hi") };
    assert_ne!(shape(&limited), base);
    let mut hot = asks("hi");
    hot.sampling.temperature = Some(json!(0.1));
    assert_ne!(shape(&hot), base);
}
