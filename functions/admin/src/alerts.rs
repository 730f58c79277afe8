//! `/admin/alerts`.

use http::Method;
use serde_json::json as document;
use shared::app::alerts::AlertQuestion;
use shared::http::json;
use shared::protocol::fields::BadRequest;

use super::{Answered, Call};

pub(crate) async fn respond(call: &Call<'_>, rest: &[&str]) -> Answered {
    let view = match (call.request.method(), rest) {
        (&Method::GET, []) => document!(call.admin.alerts(question(call)?).await?),
        (&Method::GET, [id]) => {
            call.query(&[])?;
            document!(call.admin.alert(id).await?)
        }
        (&Method::POST, [id, "acknowledge"]) => {
            call.query(&[])?;
            document!(call.admin.acknowledge(&call.who, id).await?)
        }
        _ => return Ok(None),
    };
    Ok(Some(json(200, call.id, &view)))
}

fn question(call: &Call<'_>) -> Result<AlertQuestion, BadRequest> {
    let mut query = call.query(&["since", "after", "limit"])?;
    Ok(AlertQuestion {
        since: query.time("since")?,
        after: query.parsed("after", "the next of the page before")?,
        most: query.limit(100, 500)?,
    })
}
