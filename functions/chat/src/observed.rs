//! The event of a request begins with its headers and ends behind its last byte.

use http::{HeaderMap, Response, StatusCode};
use shared::app::App;
use shared::app::observation::Observation;
use shared::domain::event::Operation;
use shared::domain::id::AttemptId;
use shared::domain::trace::TraceContext;
use shared::http::Body;

pub(crate) fn begin(
    app: &App,
    id: AttemptId,
    operation: Operation,
    path: &str,
    headers: &HeaderMap,
) -> Observation {
    let known = super::ROUTES.iter().map(|(_, route)| *route).find(|route| *route == path);
    Observation::begin(app, id, operation, known.unwrap_or_default(), trace(headers))
}

/// The trace that the caller says it is part of. Two parents are none.
fn trace(headers: &HeaderMap) -> Option<TraceContext> {
    let text = |name: &'static str| headers.get_all(name).into_iter().map(|value| value.to_str().ok());
    let mut parents = text("traceparent");
    let (Some(Some(parent)), None) = (parents.next(), parents.next()) else { return None };
    TraceContext::read(parent, text("tracestate").map(|state| state.unwrap_or("=")))
}

/// On Lambda everything stops after the last byte, so what is to be sent is sent before: the caller
/// has the whole answer by then.
pub(crate) fn to_its_end(response: Response<Body>, observed: Observation) -> Response<Body> {
    let status = response.status();
    if status != StatusCode::OK {
        observed.note(|event| event.status = status.as_u16());
    }
    response.map(|body| body.then(observed.over()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn read(headers: &[(&'static str, &[u8])]) -> Option<(String, Option<String>)> {
        let value = |bytes: &[u8]| http::HeaderValue::from_bytes(bytes).expect("a header's value");
        let map: HeaderMap =
            headers.iter().map(|(name, bytes)| (http::HeaderName::from_static(name), value(bytes))).collect();
        trace(&map).map(|trace| (trace.traceparent(), trace.state))
    }

    #[test]
    fn the_trace_of_the_caller_is_read_from_its_headers() {
        let parent = PARENT.to_owned();
        assert_eq!(read(&[("traceparent", PARENT.as_bytes())]), Some((parent.clone(), None)));
        let states = [("traceparent", PARENT.as_bytes()), ("tracestate", b"a=1"), ("tracestate", b"b=2")];
        assert_eq!(read(&states), Some((parent.clone(), Some("a=1,b=2".to_owned()))));
        let unreadable = [("traceparent", PARENT.as_bytes()), ("tracestate", "a=\u{e9}".as_bytes())];
        assert_eq!(read(&unreadable), Some((parent, None)));
    }

    #[test]
    fn a_doubtful_parent_is_none() {
        assert_eq!(read(&[("tracestate", b"a=1")]), None);
        assert_eq!(read(&[("traceparent", b"00-1-2-3")]), None);
        assert_eq!(read(&[("traceparent", PARENT.as_bytes()), ("traceparent", PARENT.as_bytes())]), None);
    }
}
