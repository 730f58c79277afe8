//! What every dialect does with a response that is not a success.

use std::time::Duration;

use serde_json::Value;

use crate::ports::AttemptError;
use crate::protocol::openai::stream::{Frame, error_frame};

/// Bytes of an error body that are read.
const ERROR_BYTES_MAX: usize = 64 << 10;
/// The longest text of a provider that is passed on.
const MESSAGE_CHARS_MAX: usize = 500;

/// Turns a failed send into what it means: nothing was sent, or it may have been.
pub(super) fn send_error(error: reqwest::Error) -> AttemptError {
    // The URL is the operator's and may carry more than a host.
    let error = error.without_url();
    match error.is_connect() {
        true => AttemptError::Connect(format!("{error:?}")),
        false => AttemptError::Broken(format!("{error:?}")),
    }
}

/// Reads an error answer.
pub(super) async fn status_error(mut response: reqwest::Response) -> AttemptError {
    let status = response.status().as_u16();
    let retry_after =
        response.headers().get("retry-after").and_then(|value| value.to_str().ok()).and_then(retry_after);
    let mut body = Vec::new();
    while let Ok(Some(bytes)) = response.chunk().await {
        body.extend_from_slice(&bytes);
        if body.len() >= ERROR_BYTES_MAX {
            break;
        }
    }
    let parsed: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let (message, code) = match error_frame(parsed.get("error").unwrap_or(&parsed)) {
        Frame::Error { message, code } => (message, code),
        Frame::Chunk(_) | Frame::Done => (String::new(), None),
    };
    let message = message.chars().take(MESSAGE_CHARS_MAX).collect();
    AttemptError::Status { status, message, code, retry_after }
}

/// `Retry-After` in seconds; the form as a date is rare and treated as absent.
fn retry_after(value: &str) -> Option<Duration> {
    value.trim().parse().ok().map(Duration::from_secs)
}
