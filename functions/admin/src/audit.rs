//! `/admin/audit`.

use http::Method;
use shared::app::audit::AuditQuestion;
use shared::http::json;
use shared::protocol::fields::BadRequest;

use super::{Answered, Call};

pub(crate) async fn respond(call: &Call<'_>, rest: &[&str]) -> Answered {
    if (call.request.method(), rest) != (&Method::GET, &[]) {
        return Ok(None);
    }
    let list = call.admin.audit(question(call)?).await?;
    Ok(Some(json(200, call.id, &list)))
}

fn question(call: &Call<'_>) -> Result<AuditQuestion, BadRequest> {
    let mut query = call.query(&["since", "until", "subject", "after", "limit"])?;
    let asked = AuditQuestion {
        since: query.time("since")?,
        until: query.time("until")?,
        subject: query.text("subject")?,
        after: query.parsed("after", "the next of the page before")?,
        most: query.limit(100, 500)?,
    };
    match asked.since.zip(asked.until).is_some_and(|(since, until)| until <= since) {
        true => Err(BadRequest::new("until", "until must be after since")),
        false => Ok(asked),
    }
}
