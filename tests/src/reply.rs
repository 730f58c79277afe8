//! A reply, read to its end.

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body_util::BodyExt;
use serde_json::Value;
use shared::http::Body;

/// Status, headers and every part of the body in the order it came.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub parts: Vec<Bytes>,
}

impl Reply {
    pub async fn read(response: Response<Body>) -> Self {
        let (head, mut body) = response.into_parts();
        let mut parts = Vec::new();
        while let Some(frame) = body.frame().await {
            parts.extend(frame.expect("bodies never fail").into_data());
        }
        Reply { status: head.status.as_u16(), headers: head.headers, parts }
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.parts.concat()).expect("bodies are UTF-8")
    }

    pub fn json(&self) -> Value {
        let text = self.text();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The header's value, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("headers are ASCII"))
    }

    /// The data of every event of a stream.
    pub fn events(&self) -> Vec<String> {
        self.text().lines().filter_map(|line| line.strip_prefix("data: ")).map(str::to_owned).collect()
    }

    /// What a streamed answer in OpenAI's dialect says, all increments joined.
    pub fn streamed_text(&self) -> String {
        let texts = self.frames().into_iter().filter_map(|frame| {
            frame.pointer("/choices/0/delta/content").and_then(Value::as_str).map(str::to_owned)
        });
        texts.collect()
    }

    /// Every finish reason that a streamed answer in OpenAI's dialect gives.
    pub fn finishes(&self) -> Vec<String> {
        let reasons = self.frames().into_iter().filter_map(|frame| {
            frame.pointer("/choices/0/finish_reason").and_then(Value::as_str).map(str::to_owned)
        });
        reasons.collect()
    }

    fn frames(&self) -> Vec<Value> {
        self.events().iter().filter_map(|event| serde_json::from_str(event).ok()).collect()
    }
}
