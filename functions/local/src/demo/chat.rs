//! A chat in any dialect: reads the request, then acts out the script.

use http::header::{CACHE_CONTROL, HeaderValue};
use http::{Response, StatusCode};

use super::answer::{Answer, answer};
use super::asked::Asked;
use super::body::{Body, performed, typed};
use super::call::Call;
use super::dialect::{Dialect, Envelope};
use super::document::Document;
use super::error::Refusal;
use super::reply::Reply;
use super::script::Script;
use super::state::{Charge, Meter, bare};

pub(super) async fn complete(call: &Call<'_>, dialect: &dyn Dialect) -> Result<Response<Body>, Refusal> {
    let asked = dialect.read(call)?;
    let model = bare(&asked.model);
    let script = call.begin(model, false).await?;
    let answer = answer(&script, &asked);
    let meter = Meter::new(call.demo, model, asked.prompt_tokens);
    let envelope = envelope(call, model, &asked, &script, &answer);
    let choices = asked.choices;
    if asked.stream {
        let reply = Reply { dialect, envelope: &envelope, script: &script, answer: &answer, choices };
        return Ok(stream(&reply, meter));
    }
    let document = Document {
        api: dialect,
        number: call.number,
        bytes: dialect.document(&envelope, &answer, choices).to_string().into(),
        tokens: (answer.tokens.len() * choices) as u64,
        duration: envelope.duration,
    };
    Ok(document.respond(script.fault, meter).await)
}

fn envelope<'a>(
    call: &Call<'_>,
    model: &'a str,
    asked: &Asked,
    script: &Script,
    answer: &Answer,
) -> Envelope<'a> {
    let reports = script.usage && (asked.include_usage || !asked.stream);
    let usage = Charge {
        prompt_tokens: asked.prompt_tokens,
        completion_tokens: (answer.tokens.len() * asked.choices) as u64,
    };
    let pauses = u32::try_from(answer.tokens.len().saturating_sub(1)).unwrap_or(u32::MAX);
    Envelope {
        number: call.number,
        created: call.created(),
        model,
        usage: reports.then_some(usage),
        duration: script.delay.saturating_add(script.pace.saturating_mul(pauses)),
    }
}

fn stream(reply: &Reply<'_>, meter: Meter) -> Response<Body> {
    let mut response = typed(StatusCode::OK, reply.dialect.stream_type(), performed(reply.acts(), meter));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
