//! What tells one API from another: who is let in, how a request is read, and how the parts of an
//! answer are said. What is said, and what goes wrong with it, is not its concern.

use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderValue, RETRY_AFTER};
use http::{HeaderMap, Response};
use serde_json::Value;

use super::answer::{Answer, Finish};
use super::asked::Asked;
use super::body::{Body, json};
use super::call::Call;
use super::error::ApiError;
use super::state::Charge;

/// What all routes of one provider's API share.
pub(super) trait Api: Sync {
    /// Refuses a caller who shows no credentials; which they are does not matter.
    fn admit(&self, headers: &HeaderMap) -> Result<(), ApiError>;

    /// The header with the id of a request.
    fn id_header(&self) -> &'static str;

    /// The document of an error in the answer to request `number`.
    fn error(&self, error: &ApiError, number: u64) -> Value;

    /// A header that tells the type of an error beside its document.
    fn error_type(&self, _: &ApiError) -> Option<(&'static str, &'static str)> {
        None
    }

    fn refuse(&self, error: &ApiError, number: u64) -> Response<Body> {
        let mut response = json(error.status, &self.error(error, number));
        if let Some((name, kind)) = self.error_type(error) {
            response.headers_mut().insert(name, HeaderValue::from_static(kind));
        }
        if let Some(seconds) = error.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// How one API chats.
pub(super) trait Dialect: Api {
    /// What a call asks.
    fn read(&self, call: &Call<'_>) -> Result<Asked, ApiError>;

    /// The document of an answer that is not streamed, with so many choices.
    fn document(&self, envelope: &Envelope<'_>, answer: &Answer, choices: usize) -> Value;

    /// The content type of a streamed answer.
    fn stream_type(&self) -> &'static str;

    /// The frames that say `part` of the choice at `index`: at least one.
    fn say(&self, envelope: &Envelope<'_>, index: usize, part: &Part<'_>) -> Vec<Bytes>;
}

/// What every object of one answer carries.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    /// Numbers the request within this provider; the ids derive from it.
    pub(super) number: u64,
    /// Seconds since 1970.
    pub(super) created: u64,
    /// Without the provider's name.
    pub(super) model: &'a str,
    /// What the answer reports, unless it reports nothing.
    pub(super) usage: Option<Charge>,
    /// How long the answer takes by its script.
    pub(super) duration: Duration,
}

/// A part of a streamed answer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'a> {
    /// Before any content, which will be a tool call or text.
    Opening {
        tool: bool,
    },
    Text(&'a str),
    /// The name of the tool called.
    ToolHead(&'a str),
    /// A piece of its arguments.
    Arguments(&'a str),
    /// The end of one choice.
    Finish(Finish),
    /// The end of the stream, with the usage.
    End,
    Error(&'a ApiError),
    /// A frame whose content is no JSON.
    BadJson,
    /// A frame that breaks the framing itself.
    BadFrame,
}

impl Envelope<'_> {
    /// The model as answers name it.
    pub(super) fn full_model(&self) -> String {
        format!("demo/{}", self.model)
    }
}

pub(super) fn request_id(number: u64) -> String {
    format!("req_demo_{number}")
}
