//! A server that answers the calls of Qdrant's REST interface that the adapter makes, by its published
//! description, and refuses every other call, field and form of an id.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use shared::config::Hnsw;
use shared::vectors::Reached;
use tokio::net::TcpListener;

use super::records::{cosine, unit};
use super::stores::named;

/// The API key that the server wants.
pub(super) const KEY: &str = "an API key";

pub(super) struct Scripted(SocketAddr);

#[derive(Default)]
struct Collections(BTreeMap<String, Collection>);

struct Collection {
    size: usize,
    indexes: BTreeSet<String>,
    points: BTreeMap<String, (Vec<f32>, Value)>,
}

type Reply = Result<Value, (StatusCode, String)>;

impl Scripted {
    /// A server without a collection, which lives as long as the test.
    pub(super) async fn start() -> Scripted {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound port has an address");
        tokio::spawn(serve(listener));
        Scripted(address)
    }

    pub(super) fn reached(&self) -> Reached {
        Reached {
            url: format!("http://{}", self.0).parse().expect("the URL of a store"),
            secret: Some(KEY.to_owned()),
            name: named("kept"),
            authorities: Vec::new(),
            hnsw: Hnsw::default(),
        }
    }
}

async fn serve(listener: TcpListener) {
    let collections = Arc::new(Mutex::new(Collections::default()));
    while let Ok((stream, _)) = listener.accept().await {
        let collections = Arc::clone(&collections);
        let answer = service_fn(move |request| answer(Arc::clone(&collections), request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}

async fn answer(
    collections: Arc<Mutex<Collections>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let reply = match head.headers.get("api-key").is_some_and(|key| key == KEY) {
        false => Err((StatusCode::UNAUTHORIZED, "Must provide an API key".to_owned())),
        true => {
            let body = serde_json::from_slice(&body).unwrap_or_default();
            let path = head.uri.path_and_query().map_or("", |path| path.as_str());
            collections.lock().expect("no panic").answer(&head.method, path, &body)
        }
    };
    let (status, body) = match reply {
        Ok(result) => (StatusCode::OK, json!({"result": result, "status": "ok", "time": 0.001})),
        Err((status, why)) => (status, json!({"status": {"error": why}, "time": 0.001})),
    };
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    Ok(response)
}

fn bad(why: impl Into<String>) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, why.into())
}

/// Refuses an object with other fields than these.
fn only(body: &Value, fields: &[&str]) -> Result<(), (StatusCode, String)> {
    let given: BTreeSet<_> = body.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    match given == BTreeSet::from_iter(fields.iter().copied()) {
        true => Ok(()),
        false => Err(bad(format!("expected {fields:?}, got {given:?}"))),
    }
}

impl Collections {
    fn answer(&mut self, method: &Method, path: &str, body: &Value) -> Reply {
        let path = path.strip_prefix("/collections/").ok_or_else(|| bad("no such path"))?;
        let (name, rest) = path.find('/').map_or((path, ""), |slash| path.split_at(slash));
        if (method, rest) == (&Method::PUT, "") {
            return self.create(name, body);
        }
        let missing = (StatusCode::NOT_FOUND, format!("Not found: Collection `{name}` doesn't exist!"));
        let collection = self.0.get_mut(name).ok_or(missing)?;
        match (method.as_str(), rest) {
            ("GET", "") => {
                let vectors = json!({"size": collection.size, "distance": "Cosine"});
                Ok(json!({"status": "green", "config": {"params": {"vectors": vectors}}}))
            }
            ("PUT", "/index?wait=true") => collection.index(body),
            ("PUT", "/points?wait=true") => collection.upsert(body),
            ("POST", "/points/query") => collection.query(body),
            ("POST", "/points/delete?wait=true") => collection.delete(body),
            _ => Err((StatusCode::NOT_FOUND, format!("{method} {rest}"))),
        }
    }

    fn create(&mut self, name: &str, body: &Value) -> Reply {
        only(body, &["vectors", "hnsw_config"])?;
        only(&body["vectors"], &["size", "distance"])?;
        only(&body["hnsw_config"], &["m", "payload_m", "ef_construct"])?;
        if self.0.contains_key(name) {
            let why = format!("Wrong input: Collection `{name}` already exists!");
            return Err((StatusCode::CONFLICT, why));
        }
        let Some(size) = body["vectors"]["size"].as_u64().and_then(|size| usize::try_from(size).ok()) else {
            return Err(bad("vectors.size"));
        };
        let made = Collection { size, indexes: BTreeSet::new(), points: BTreeMap::new() };
        self.0.insert(name.to_owned(), made);
        Ok(json!(true))
    }
}

impl Collection {
    fn index(&mut self, body: &Value) -> Reply {
        only(body, &["field_name", "field_schema"])?;
        let schemas = [json!("integer"), json!({"type": "keyword", "is_tenant": true})];
        if !schemas.contains(&body["field_schema"]) {
            return Err(bad(format!("field_schema {}", body["field_schema"])));
        }
        self.indexes.insert(body["field_name"].as_str().ok_or_else(|| bad("field_name"))?.to_owned());
        Ok(json!({"operation_id": 1, "status": "completed"}))
    }

    fn upsert(&mut self, body: &Value) -> Reply {
        only(body, &["points"])?;
        for point in body["points"].as_array().ok_or_else(|| bad("points"))? {
            only(point, &["id", "vector", "payload"])?;
            let id = id_of(&point["id"])?;
            let vector = self.vector(&point["vector"])?;
            self.points.insert(id, (vector, point["payload"].clone()));
        }
        Ok(json!({"operation_id": 2, "status": "completed"}))
    }

    /// Kept at length one, as for every collection whose distance is the cosine.
    fn vector(&self, given: &Value) -> Result<Vec<f32>, (StatusCode, String)> {
        let vector: Vec<f32> =
            serde_json::from_value(given.clone()).map_err(|error| bad(error.to_string()))?;
        match vector.len() == self.size {
            true => Ok(unit(vector)),
            false => Err(bad(format!(
                "Wrong input: Vector dimension error: expected dim: {}, got {}",
                self.size,
                vector.len()
            ))),
        }
    }

    /// What a strict server does: a filter needs an index of the field that it compares.
    fn matching(&self, filter: &Value) -> Result<Vec<String>, (StatusCode, String)> {
        only(filter, &["must"])?;
        let condition = &filter["must"][0];
        let field = condition["key"].as_str().unwrap_or_default();
        if !self.indexes.contains(field) || filter["must"].as_array().is_none_or(|all| all.len() != 1) {
            return Err(bad(format!("Index required but not found for {field:?}")));
        }
        let holds = |payload: &Value| match (condition.get("match"), condition.get("range")) {
            (Some(wanted), None) => payload[field] == wanted["value"],
            (None, Some(range)) => payload[field].as_i64() < range["lt"].as_i64(),
            _ => false,
        };
        let kept = self.points.iter().filter(|(_, (_, payload))| holds(payload));
        Ok(kept.map(|(id, _)| id.clone()).collect())
    }

    fn query(&self, body: &Value) -> Reply {
        only(body, &["query", "filter", "params", "limit", "with_payload"])?;
        only(&body["params"], &["hnsw_ef"])?;
        let vector = self.vector(&body["query"])?;
        let mut found: Vec<(f64, &str, &Value)> = Vec::new();
        for id in self.matching(&body["filter"])? {
            let (id, (stored, payload)) = self.points.get_key_value(&id).expect("one that matched");
            found.push((cosine(stored, &vector), id, payload));
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        found.truncate(body["limit"].as_u64().and_then(|most| usize::try_from(most).ok()).unwrap_or(10));
        let point = |(score, id, payload): (f64, &str, &Value)| json!({"id": id, "version": 2, "score": score, "payload": payload});
        Ok(json!({"points": found.into_iter().map(point).collect::<Vec<_>>()}))
    }

    fn delete(&mut self, body: &Value) -> Reply {
        let chosen = match body.get("filter") {
            Some(filter) => self.matching(filter)?,
            None => {
                only(body, &["points"])?;
                body["points"].as_array().into_iter().flatten().map(id_of).collect::<Result<_, _>>()?
            }
        };
        self.points.retain(|id, _| !chosen.contains(id));
        Ok(json!({"operation_id": 3, "status": "completed"}))
    }
}

/// A UUID in its usual form; numbers would do as well, but the adapter gives none.
fn id_of(given: &Value) -> Result<String, (StatusCode, String)> {
    let id = given.as_str().unwrap_or_default();
    let lengths: Vec<_> = id.split('-').map(str::len).collect();
    let is_uuid =
        lengths == [8, 4, 4, 4, 12] && id.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    match is_uuid {
        true => Ok(id.to_owned()),
        false => Err(bad(format!("value {given} is not a valid point ID"))),
    }
}
