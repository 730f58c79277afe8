//! `/admin/keys`.

use http::Method;
use serde_json::json as document;
use shared::app::body::object;
use shared::http::json;

use super::{Answered, Call};

pub(crate) async fn respond(call: &Call<'_>, rest: &[&str]) -> Answered {
    let Call { admin, who, .. } = call;
    let body = || object(call.request.body());
    let (status, view) = match (call.request.method(), rest) {
        (&Method::POST, []) => (201, document!(admin.create(who, body()?).await?)),
        (&Method::GET, []) => (200, document!({ "keys": admin.list().await? })),
        (&Method::GET, [id]) => (200, document!(admin.key(id).await?)),
        (&Method::PATCH, [id]) => (200, document!(admin.update(who, id, body()?).await?)),
        (&Method::DELETE, [id]) => {
            let revoked = admin.revoke(who, id).await?;
            (200, document!({ "id": id, "revoked": true, "revokedAt": revoked.revoked_at }))
        }
        _ => return Ok(None),
    };
    Ok(Some(json(status, call.id, &view)))
}
