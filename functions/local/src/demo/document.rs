//! An answer that goes out in one piece: how long it takes, and how it breaks.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};

use super::body::{Body, performed, typed, wait, whole};
use super::dialect::Api;
use super::error::ApiError;
use super::reply::{Act, broken_connection};
use super::script::Fault;
use super::state::Meter;

pub(super) struct Document<'a> {
    pub(super) api: &'a dyn Api,
    /// Of the request.
    pub(super) number: u64,
    pub(super) bytes: Bytes,
    /// Completion tokens.
    pub(super) tokens: u64,
    pub(super) duration: Duration,
}

impl Document<'_> {
    pub(super) async fn respond(&self, fault: Option<Fault>, mut meter: Meter) -> Response<Body> {
        wait(self.duration).await;
        let body = match fault {
            Some(fault) => performed(self.broken(fault), meter),
            None => {
                meter.charge(self.tokens);
                whole(self.bytes.clone())
            }
        };
        typed(StatusCode::OK, "application/json", body)
    }

    /// The acts of it with a fault after N tokens: as much of it goes out as N tokens are of the
    /// answer, and never all of it.
    fn broken(&self, fault: Fault) -> Vec<Act> {
        if let Fault::Error { code, .. } = fault {
            let error = self.api.error(&ApiError::scripted(code, None), self.number);
            return vec![Act::Send(error.to_string().into())];
        }
        let sent = fault.after().map_or(0, |count| count as u64).min(self.tokens);
        let mut acts = Vec::new();
        if sent > 0 {
            let end = self.bytes.len() as u64 * sent / (self.tokens + 1);
            acts.push(Act::Charge(self.bytes.slice(..end as usize), sent));
        }
        acts.extend(match fault {
            Fault::BadJson(_) => Some(Act::Send(Bytes::from_static(b"}{ not JSON"))),
            Fault::BadFrame(_) => Some(Act::Send(Bytes::from_static(b"\xff\xfe no UTF-8"))),
            other => broken_connection(other),
        });
        acts
    }
}
