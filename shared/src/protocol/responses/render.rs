//! The response object, and the reply that is not streamed.

use serde::Serialize;
use serde_json::{Map, Value};

use super::compose::Composer;
use super::events::Events;
use super::item::Item;
use super::usage::Usage;
use crate::protocol::answer::Answer;
use crate::protocol::canonical::FinishReason;
use crate::protocol::dialect::{ReplyHead, Summary};
use crate::protocol::error::ErrorReport;

/// The response object. What it repeats of the request is in `echo`.
#[derive(Debug, Serialize)]
pub(super) struct Response<'a> {
    id: String,
    object: &'static str,
    /// Seconds since the epoch, like `completed_at`.
    created_at: i64,
    completed_at: Option<i64>,
    status: &'static str,
    error: Option<Failure<'a>>,
    incomplete_details: Option<Incomplete>,
    model: &'a str,
    output: &'a [Item],
    usage: Option<Usage>,
    #[serde(flatten)]
    echo: &'a Map<String, Value>,
}

#[derive(Debug, Serialize)]
struct Failure<'a> {
    code: &'static str,
    message: &'a str,
}

#[derive(Debug, Serialize)]
struct Incomplete {
    reason: &'static str,
}

impl<'a> Response<'a> {
    /// A response that has just begun.
    pub(super) fn begun(head: &'a ReplyHead) -> Self {
        Response {
            id: format!("resp_{}", head.request_id),
            object: "response",
            created_at: head.created.seconds(),
            completed_at: None,
            status: "in_progress",
            error: None,
            incomplete_details: None,
            model: &head.model,
            output: &[],
            usage: None,
            echo: &head.echo,
        }
    }

    /// A response that ended, completed or cut off.
    pub(super) fn ended(head: &'a ReplyHead, composed: &'a Composer, summary: &Summary) -> Self {
        let incomplete_details = composed.finish().and_then(cut_off).map(|reason| Incomplete { reason });
        let is_complete = incomplete_details.is_none();
        Response {
            completed_at: is_complete.then(|| summary.completed.seconds()),
            status: if is_complete { "completed" } else { "incomplete" },
            incomplete_details,
            output: composed.output(),
            usage: Some(Usage::of(&summary.usage)),
            ..Response::begun(head)
        }
    }

    /// A response that broke off, with what there is of it.
    pub(super) fn failed(head: &'a ReplyHead, composed: &'a Composer, report: &'a ErrorReport) -> Self {
        let code = match report.status {
            429 => "rate_limit_exceeded",
            400..500 => "invalid_prompt",
            _ => "server_error",
        };
        Response {
            status: "failed",
            error: Some(Failure { code, message: &report.message }),
            output: composed.output(),
            ..Response::begun(head)
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.incomplete_details.is_none()
    }
}

/// Why an answer is incomplete, if it is.
fn cut_off(reason: &FinishReason) -> Option<&'static str> {
    match reason {
        FinishReason::Length => Some("max_output_tokens"),
        FinishReason::ContentFilter => Some("content_filter"),
        FinishReason::Stop | FinishReason::StopSequence(_) | FinishReason::ToolCalls => None,
    }
}

/// The body of a reply that is not streamed.
pub(in crate::protocol) fn whole(head: &ReplyHead, answer: &Answer, summary: &Summary) -> String {
    let mut composer = Composer::new(&head.request_id, Events::silent());
    answer.deltas().iter().for_each(|delta| composer.push(delta));
    composer.close();
    serde_json::to_string(&Response::ended(head, &composer, summary)).unwrap_or_default()
}
