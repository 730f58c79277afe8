//! `/admin/tenants` and `/admin/teams`.

use http::Method;
use serde_json::json as document;
use shared::http::json;

use super::{Answered, Call};

pub(crate) async fn respond(call: &Call<'_>, rest: &[&str]) -> Answered {
    let view = match (call.request.method(), rest) {
        (&Method::GET, ["tenants"]) => {
            let piece = call.query(&["after", "limit"])?.piece()?;
            document!(call.admin.tenants(&piece).await?)
        }
        (&Method::GET, ["tenants", id]) => {
            call.query(&[])?;
            document!(call.admin.tenant(id).await?)
        }
        (&Method::GET, ["teams"]) => {
            let mut query = call.query(&["tenant", "after", "limit"])?;
            let tenant = query.text("tenant")?;
            document!(call.admin.teams(tenant.as_deref(), &query.piece()?).await?)
        }
        _ => return Ok(None),
    };
    Ok(Some(json(200, call.id, &view)))
}
