//! `POST /v1/chat/completions`: reads the request, then acts out the script.

use std::future::pending;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::{CACHE_CONTROL, HeaderValue};
use http::{Response, StatusCode};

use super::answer::answer;
use super::body::{Body, Reset, performed, whole};
use super::error::{ApiError, Refusal};
use super::reply::Reply;
use super::request::ChatRequest;
use super::routes::typed;
use super::script::{Fault, Script};
use super::state::{Demo, Meter, bare};
use super::wire::Envelope;

pub(super) async fn complete(demo: &Demo, body: &[u8], now: SystemTime) -> Result<Response<Body>, Refusal> {
    let request = ChatRequest::parse(body)?;
    let model = bare(&request.model);
    let number = demo.begin(model);
    let script = demo.script(model).map_err(|error| ApiError::unknown_model(model, &error))?;
    refuse(&script).await?;

    let envelope = Envelope::new(number, epoch_seconds(now), model);
    let reply = Reply {
        envelope: &envelope,
        script: &script,
        answer: &answer(&script, &request),
        choices: request.choices(),
        prompt_tokens: request.prompt_tokens(),
        include_usage: request.include_usage(),
    };
    let meter = Meter::new(demo, model, reply.prompt_tokens);
    let mut response = if request.streams() { stream(&reply, meter) } else { plain(&reply, meter).await };
    response.headers_mut().insert("x-request-id", request_id(number));
    Ok(response)
}

fn request_id(number: u64) -> HeaderValue {
    HeaderValue::try_from(format!("req_demo_{number}")).expect("letters and digits are valid")
}

/// Acts out the faults that come before any header.
async fn refuse(script: &Script) -> Result<(), Refusal> {
    let refusal = match script.fault {
        Some(Fault::Hang) => pending().await,
        Some(Fault::Reset(0)) => Refusal::Reset(Reset),
        Some(Fault::Status { code, retry_after }) => ApiError::scripted(code, retry_after).into(),
        _ => return Ok(()),
    };
    wait(script.delay).await;
    Err(refusal)
}

fn stream(reply: &Reply<'_>, meter: Meter) -> Response<Body> {
    let body = performed(reply.streamed(), meter);
    let mut response = typed(StatusCode::OK, "text/event-stream; charset=utf-8", body);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

async fn plain(reply: &Reply<'_>, mut meter: Meter) -> Response<Body> {
    wait(reply.duration()).await;
    let body = match reply.script.fault {
        Some(fault) => performed(reply.broken_document(fault), meter),
        None => {
            meter.charge(reply.total_tokens());
            whole(reply.document())
        }
    };
    typed(StatusCode::OK, "application/json", body)
}

pub(super) fn epoch_seconds(now: SystemTime) -> u64 {
    now.duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}

async fn wait(duration: Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}
