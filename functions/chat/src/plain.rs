//! A reply that is not streamed: the provider streamed it all the same, so it is put together.

use http::Response;
use shared::app::serve::{Frame, Opened, Reply};
use shared::http::Body;
use shared::protocol::answer::Answer;
use shared::protocol::dialect::{Dialect, Summary};

use super::reply::{STOPPED, begin, head, lost, put, refuse};

pub(crate) async fn respond(dialect: Dialect, mut reply: Reply) -> Response<Body> {
    let mut opened: Option<Opened> = None;
    let mut answer = Answer::default();
    let summary = loop {
        match reply.frames.recv().await {
            Some(Frame::Open(open)) => opened = Some(open),
            Some(Frame::Chunk(chunk)) => answer.push(&chunk),
            Some(Frame::End(summary)) => break summary,
            Some(Frame::Failed(failed)) => {
                return refuse(&failed, dialect, &reply.request_id.to_string());
            }
            None => return refuse(&lost(), dialect, &reply.request_id.to_string()),
        }
    };
    complete(dialect, reply, opened.as_ref(), &answer, &summary)
}

/// The body ends only when the serving task has: on Lambda everything stops after the last byte.
fn complete(
    dialect: Dialect,
    mut reply: Reply,
    opened: Option<&Opened>,
    answer: &Answer,
    summary: &Summary,
) -> Response<Body> {
    let text = dialect.whole(&head(&reply, opened), answer, summary);
    let (sender, frames) = tokio::sync::mpsc::channel(1);
    drop(sender);
    let mut rest = std::mem::replace(&mut reply.frames, frames);
    let body = Body::whole_then(text, async move { while rest.recv().await.is_some() {} });
    let mut response = begin(dialect, &reply, opened, "application/json", body);
    put(response.headers_mut(), "x-tollgate-cost-usd", &summary.cost.to_string());
    if summary.stopped {
        put(response.headers_mut(), "x-tollgate-stop", STOPPED);
    }
    response
}
