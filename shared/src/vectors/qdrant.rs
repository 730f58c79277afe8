//! Vectors in Qdrant: a collection whose graphs are built for each partition, asked over its REST interface.
//!
//! The official client was weighed: it speaks gRPC by a TLS of its own, which takes its roots from the system
//! and none of `cache.store.ca_file`, and it links a server of HTTP beside ours.

use async_trait::async_trait;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use self::calls::{Answer, Calls};
use super::Reached;
use super::rules::{digest, malformed};
use crate::config::Hnsw;
use crate::domain::key::hex;
use crate::domain::time::Timestamp;
use crate::ports::vector_rules::{cosine, latest, same_size};
use crate::ports::{Neighbour, SearchVectors, SetUpVectors, StoreError, VectorRecord, WriteVectors};

mod calls;

/// Records in one call: 100 KB of each payload stay well under the 32 MB that a server takes by default.
const BATCH: usize = 100;

/// A collection of Qdrant.
pub struct QdrantVectors {
    calls: Calls,
    name: String,
    hnsw: Hnsw,
}

/// What the adapter keeps with a vector.
#[derive(Deserialize)]
struct Payload {
    id: String,
    expires: i64,
    payload: String,
}

#[derive(Deserialize)]
struct Point {
    score: f64,
    payload: Payload,
}

#[derive(Deserialize)]
struct Points {
    points: Vec<Point>,
}

impl QdrantVectors {
    /// Connects when it is first used.
    ///
    /// # Errors
    /// When the authorities are no certificates, or the API key cannot be sent.
    pub fn new(reached: &Reached) -> Result<Self, String> {
        Ok(QdrantVectors { calls: Calls::new(reached)?, name: reached.name.clone(), hnsw: reached.hnsw })
    }

    fn path(&self, rest: &str) -> String {
        format!("/collections/{}{rest}", self.name)
    }

    /// Components of the vectors of the collection; none where there is no collection.
    async fn dimensions(&self) -> Result<Option<usize>, StoreError> {
        let described = self.calls.ask(Method::GET, &self.path(""), None).await?;
        if described.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let described = described.result()?;
        let size = described.pointer("/config/params/vectors/size").and_then(Value::as_u64);
        let size = size.and_then(|size| usize::try_from(size).ok());
        size.map(Some).ok_or_else(|| malformed("size of its vectors"))
    }

    /// Makes the collection. No search spans partitions, so no graph does: `m` of the whole is 0.
    async fn create(&self, dimensions: usize) -> Result<Answer, StoreError> {
        let creation = json!({
            "vectors": {"size": dimensions, "distance": "Cosine"},
            "hnsw_config": {"m": 0, "payload_m": self.hnsw.m, "ef_construct": self.hnsw.ef_construction},
        });
        self.calls.ask(Method::PUT, &self.path(""), Some(creation)).await
    }

    /// Has a field searched by an index; one that is there stays.
    async fn index(&self, field: &str, schema: Value) -> Result<(), StoreError> {
        let index = json!({"field_name": field, "field_schema": schema});
        self.calls.ask(Method::PUT, &self.path("/index?wait=true"), Some(index)).await?.result().map(|_| ())
    }

    async fn delete(&self, chosen: Value) -> Result<(), StoreError> {
        let path = self.path("/points/delete?wait=true");
        self.calls.ask(Method::POST, &path, Some(chosen)).await?.result().map(|_| ())
    }
}

/// Qdrant names points by numbers or UUIDs alone: half of a digest of both names is one.
fn point(partition: &str, id: &str) -> String {
    let hex = hex(&Sha256::digest(format!("{}:{}", digest(partition), digest(id))));
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32])
}

#[async_trait]
impl SearchVectors for QdrantVectors {
    async fn nearest(
        &self,
        partition: &str,
        vector: &[f32],
        most: usize,
    ) -> Result<Vec<Neighbour>, StoreError> {
        let search = json!({
            "query": vector,
            "filter": {"must": [{"key": "partition", "match": {"value": digest(partition)}}]},
            "params": {"hnsw_ef": (self.hnsw.ef_search as usize).max(most)},
            "limit": most,
            "with_payload": true,
        });
        let found =
            self.calls.ask(Method::POST, &self.path("/points/query"), Some(search)).await?.result()?;
        let found: Points = serde_json::from_value(found).map_err(|_| malformed("points"))?;
        let neighbour = |Point { score, payload }: Point| Neighbour {
            id: payload.id,
            similarity: cosine(score),
            expires: Timestamp::from_millis(payload.expires),
            payload: payload.payload,
        };
        Ok(found.points.into_iter().map(neighbour).collect())
    }
}

#[async_trait]
impl WriteVectors for QdrantVectors {
    async fn upsert(&self, records: &[VectorRecord]) -> Result<(), StoreError> {
        for records in latest(records).chunks(BATCH) {
            let points: Vec<Value> = records.iter().map(|record| written(record)).collect();
            let path = self.path("/points?wait=true");
            self.calls.ask(Method::PUT, &path, Some(json!({"points": points}))).await?.result()?;
        }
        Ok(())
    }

    async fn remove(&self, partition: &str, ids: &[&str]) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        let points: Vec<String> = ids.iter().map(|id| point(partition, id)).collect();
        self.delete(json!({"points": points})).await
    }

    async fn sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        let expired = json!({"key": "expires", "range": {"lt": now.millis()}});
        self.delete(json!({"filter": {"must": [expired]}})).await
    }
}

fn written(record: &VectorRecord) -> Value {
    json!({
        "id": point(&record.partition, &record.id),
        "vector": record.vector,
        "payload": {
            "partition": digest(&record.partition),
            "id": record.id,
            "expires": record.expires.millis(),
            "payload": record.payload,
        },
    })
}

#[async_trait]
impl SetUpVectors for QdrantVectors {
    async fn set_up(&self, dimensions: usize) -> Result<bool, StoreError> {
        let mut made = false;
        match self.dimensions().await? {
            Some(stored) => same_size(&self.name, stored, dimensions)?,
            None => {
                let created = self.create(dimensions).await?;
                made = created.status != StatusCode::CONFLICT;
                if made {
                    created.result()?;
                }
            }
        }
        // Also where the collection was there: who made it may not have come this far.
        self.index("partition", json!({"type": "keyword", "is_tenant": true})).await?;
        self.index("expires", json!("integer")).await?;
        Ok(made)
    }
}
