//! `/admin/keys`.

use http::Method;
use serde_json::json as document;
use shared::app::administer::Whose;
use shared::app::body::object;
use shared::app::listing::Piece;
use shared::http::json;
use shared::protocol::fields::BadRequest;

use super::{Answered, Call};

pub(crate) async fn respond(call: &Call<'_>, rest: &[&str]) -> Answered {
    let Call { admin, who, .. } = call;
    let body = || object(call.request.body());
    let (status, view) = match (call.request.method(), rest) {
        (&Method::POST, []) => (201, document!(admin.create(who, body()?).await?)),
        (&Method::GET, []) => {
            let (whose, piece) = asked(call)?;
            (200, document!(admin.keys(&whose, &piece).await?))
        }
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

fn asked(call: &Call<'_>) -> Result<(Whose, Piece), BadRequest> {
    let mut query = call.query(&["tenant", "team", "after", "limit"])?;
    let whose = Whose { tenant: query.text("tenant")?, team: query.text("team")? };
    match whose.team.is_some() && whose.tenant.is_none() {
        true => Err(BadRequest::new("team", "team needs the tenant whose it is")),
        false => Ok((whose, query.piece()?)),
    }
}
