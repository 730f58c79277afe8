//! `/admin/budgets`.

use http::Method;
use serde_json::json as document;
use shared::app::body::object;
use shared::http::json;

use super::{Answered, Call};

pub(crate) async fn respond(call: &Call<'_>, rest: &[&str]) -> Answered {
    let Call { admin, who, .. } = call;
    let view = match (call.request.method(), rest) {
        (&Method::GET, []) => {
            let mut query = call.query(&["tenant", "after", "limit"])?;
            let tenant = query.text("tenant")?;
            document!(admin.budgets(tenant.as_deref(), &query.piece()?).await?)
        }
        (&Method::GET, [scope, id]) => {
            document!(admin.budget(scope, id, call.query(&["tenant"])?.text("tenant")?).await?)
        }
        (&Method::PUT, [scope, id]) => {
            document!(admin.set_budget(who, scope, id, object(call.request.body())?).await?)
        }
        _ => return Ok(None),
    };
    Ok(Some(json(200, call.id, &view)))
}
