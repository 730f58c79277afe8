//! Vectors in Redis with search: a hash for each record, and one index over them.

use std::collections::HashMap;

use async_trait::async_trait;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisConnectionInfo, RedisError, Value, cmd, pipe};

use super::Reached;
use super::rules::{by_similarity, bytes, digest, malformed};
use super::wire::{Dial, Failure, Line, Way};
use crate::config::Hnsw;
use crate::domain::time::Timestamp;
use crate::ports::vector_rules::{cosine_of, latest, same_size};
use crate::ports::{Neighbour, SearchVectors, SetUpVectors, StoreError, VectorRecord, WriteVectors};

const PORT: u16 = 6379;
/// Records in one round trip: 100 KB of each payload make ten megabytes at most.
const BATCH: usize = 100;

/// An index of Redis. Keys are `<name>:<digest of the partition>:<digest of the id>`, and partitions are
/// compared by their digest: no name needs escaping, and none ends at a zero as keys do in the search.
pub struct RedisVectors {
    line: Line<Redis>,
    name: String,
    hnsw: Hnsw,
}

struct Redis {
    way: Way,
    login: RedisConnectionInfo,
}

#[async_trait]
impl Dial for Redis {
    type Connection = MultiplexedConnection;

    async fn dial(&self) -> Result<MultiplexedConnection, Failure> {
        let stream = self.way.connect().await.map_err(|error| Failure::Broken(error.to_string()))?;
        // Lookups have a budget of their own, which is why the client's limit is off.
        let settings = AsyncConnectionConfig::new().set_response_timeout(None);
        let made = MultiplexedConnection::new_with_config(&self.login, stream, settings).await;
        let (connection, driver) = made.map_err(failure)?;
        tokio::spawn(driver);
        Ok(connection)
    }
}

impl RedisVectors {
    /// Connects when it is first used.
    ///
    /// # Errors
    /// When the URL's database is no number, or the authorities are no certificates.
    pub fn new(reached: &Reached) -> Result<Self, String> {
        let database = match reached.url.database.as_str() {
            "" => 0,
            number => number.parse().map_err(|_| "the database of a Redis URL is a number".to_owned())?,
        };
        let mut login = RedisConnectionInfo::default().set_db(database);
        if let Some(user) = &reached.url.user {
            login = login.set_username(user);
        }
        if let Some(password) = &reached.secret {
            login = login.set_password(password);
        }
        let way = Way::new(reached, PORT, None)?;
        let line = Line::new(Redis { way, login });
        Ok(RedisVectors { line, name: reached.name.clone(), hnsw: reached.hnsw })
    }

    fn key(&self, partition: &str, id: &str) -> String {
        format!("{}:{}:{}", self.name, digest(partition), digest(id))
    }

    /// Components of the vectors of the index; none where there is no index.
    async fn dimensions(&self) -> Result<Option<usize>, StoreError> {
        let mut info = cmd("FT.INFO");
        info.arg(&self.name);
        let described = self.line.run(|mut open| {
            let info = info.clone();
            async move { info.query_async::<Value>(&mut open).await.map_err(failure) }
        });
        match described.await {
            Ok(described) => {
                find_number(&described, "dim").map(Some).ok_or_else(|| malformed("dim of the index"))
            }
            Err(StoreError::Rejected(why)) if is_absent(&why) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[async_trait]
impl SearchVectors for RedisVectors {
    async fn nearest(
        &self,
        partition: &str,
        vector: &[f32],
        most: usize,
    ) -> Result<Vec<Neighbour>, StoreError> {
        let query = format!(
            "(@partition:{{{}}})=>[KNN {most} @vector $vector EF_RUNTIME {} AS distance]",
            digest(partition),
            (self.hnsw.ef_search as usize).max(most)
        );
        let mut search = cmd("FT.SEARCH");
        search.arg(&self.name).arg(query).arg(&["PARAMS", "2", "vector"]).arg(bytes(vector));
        search.arg(&["RETURN", "4", "distance", "id", "expires", "payload"]);
        search.arg("LIMIT").arg(0).arg(most).arg(&["DIALECT", "2"]);
        let found = self.line.run(|mut open| {
            let search = search.clone();
            async move { search.query_async::<Value>(&mut open).await.map_err(failure) }
        });
        let found = found.await.map_err(|error| match error {
            StoreError::Rejected(why) if !why.contains(&self.name) => {
                StoreError::Rejected(format!("index {}: {why}", self.name))
            }
            other => other,
        })?;
        read_hits(found)
    }
}

#[async_trait]
impl WriteVectors for RedisVectors {
    async fn upsert(&self, records: &[VectorRecord]) -> Result<(), StoreError> {
        for records in latest(records).chunks(BATCH) {
            let mut writes = pipe();
            // Together, so that no record is ever without its time.
            writes.atomic();
            for record in records {
                let key = self.key(&record.partition, &record.id);
                let expires = record.expires.millis();
                writes.cmd("HSET").arg(&key).arg("partition").arg(digest(&record.partition));
                writes.arg("id").arg(&record.id);
                writes.arg("vector").arg(bytes(&record.vector));
                writes.arg("expires").arg(expires).arg("payload").arg(&record.payload).ignore();
                writes.cmd("PEXPIREAT").arg(&key).arg(expires).ignore();
            }
            let run = self.line.run(|mut open| {
                let writes = writes.clone();
                async move { writes.query_async::<()>(&mut open).await.map_err(failure) }
            });
            run.await?;
        }
        Ok(())
    }

    async fn remove(&self, partition: &str, ids: &[&str]) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut removal = cmd("DEL");
        for id in ids {
            removal.arg(self.key(partition, id));
        }
        let run = self.line.run(|mut open| {
            let removal = removal.clone();
            async move { removal.query_async::<()>(&mut open).await.map_err(failure) }
        });
        run.await
    }

    /// Nothing to do: Redis deletes what has expired.
    async fn sweep(&self, _now: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }
}

#[async_trait]
impl SetUpVectors for RedisVectors {
    async fn set_up(&self, dimensions: usize) -> Result<bool, StoreError> {
        if let Some(stored) = self.dimensions().await? {
            return same_size(&self.name, stored, dimensions).map(|()| false);
        }
        let mut create = cmd("FT.CREATE");
        create.arg(&self.name).arg(&["ON", "HASH", "PREFIX", "1"]).arg(format!("{}:", self.name));
        create.arg(&["SCHEMA", "partition", "TAG", "vector", "VECTOR", "HNSW", "10"]);
        create.arg(&["TYPE", "FLOAT32", "DISTANCE_METRIC", "COSINE", "DIM"]).arg(dimensions);
        create.arg("M").arg(self.hnsw.m).arg("EF_CONSTRUCTION").arg(self.hnsw.ef_construction);
        let made = self.line.run(|mut open| {
            let create = create.clone();
            async move { create.query_async::<()>(&mut open).await.map_err(failure) }
        });
        match made.await {
            Ok(()) => Ok(true),
            // Somebody else was faster.
            Err(StoreError::Rejected(why)) if why.contains("already exists") => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn failure(error: RedisError) -> Failure {
    match error.is_io_error() || error.is_unrecoverable_error() {
        true => Failure::Broken(error.to_string()),
        false => Failure::Refused(words(&error)),
    }
}

/// What the server said. The client takes its first word for a code and quotes it.
fn words(error: &RedisError) -> String {
    match (error.code(), error.detail()) {
        (Some(code), Some(detail)) => format!("{code} {detail}"),
        _ => error.to_string(),
    }
}

fn is_absent(why: &str) -> bool {
    let why = why.to_ascii_lowercase();
    ["no such index", "unknown index", "not found"].iter().any(|known| why.contains(known))
}

/// A count, and then of each hit its key and its fields.
fn read_hits(found: Value) -> Result<Vec<Neighbour>, StoreError> {
    let Value::Array(values) = found else { return Err(malformed("hits")) };
    let mut hits = Vec::new();
    for pair in values.get(1..).unwrap_or_default().chunks_exact(2) {
        let fields: HashMap<String, String> =
            redis::from_redis_value_ref(&pair[1]).map_err(|_| malformed("fields"))?;
        // It expired between the search and the reading of its fields.
        let Some(distance) = fields.get("distance") else { continue };
        let Some(payload) = fields.get("payload") else { continue };
        let distance: f64 = distance.parse().map_err(|_| malformed("distance"))?;
        let expires = fields.get("expires").and_then(|text| text.parse().ok());
        hits.push(Neighbour {
            id: fields.get("id").ok_or_else(|| malformed("id"))?.clone(),
            similarity: cosine_of(distance),
            expires: Timestamp::from_millis(expires.ok_or_else(|| malformed("expires"))?),
            payload: payload.clone(),
        });
    }
    Ok(by_similarity(hits))
}

/// The number that follows `name`, at whatever depth: what surrounds it differs between servers.
fn find_number(value: &Value, name: &str) -> Option<usize> {
    let is_name = |value: &Value| {
        redis::from_redis_value_ref::<String>(value).is_ok_and(|text| text.eq_ignore_ascii_case(name))
    };
    let Value::Array(values) = value else { return None };
    let after = values.windows(2).find(|pair| is_name(&pair[0]));
    let number = after.and_then(|pair| redis::from_redis_value_ref::<usize>(&pair[1]).ok());
    number.or_else(|| values.iter().find_map(|value| find_number(value, name)))
}
