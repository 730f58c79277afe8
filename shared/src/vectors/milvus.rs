//! Vectors in Milvus: a collection, with an HNSW index over the vectors and its partition key over the
//! partitions. It is asked by gRPC, which Milvus, Zilliz Cloud and Milvus Lite speak alike; the last of them
//! nothing else.

use std::time::Duration;

use async_trait::async_trait;
use prost::Message;
use tokio::time::sleep;

use self::calls::{Milvus, Told, accepted};
use self::messages::{
    BOUNDED, Collection, CollectionSchema, CreateCollection, CreateIndex, Delete, DescribeIndex, EXPRESSION,
    FLOAT_VECTOR, Found, GetLoadState, LOADED, LoadState, NamedThird, Outcome, Placeholder, Placeholders,
    Search, Status, Upsert, pair,
};
use self::rows::{OUTPUT, columns, fields, key, neighbours};
use super::Reached;
use super::rules::{bytes, digest, malformed};
use super::wire::Line;
use crate::config::Hnsw;
use crate::domain::time::Timestamp;
use crate::ports::vector_rules::{latest, same_size};
use crate::ports::{Neighbour, SearchVectors, SetUpVectors, StoreError, VectorRecord, WriteVectors};

mod calls;
mod messages;
mod rows;

/// Records in one call: 100 KB of each payload stay under the 4 MB that a server takes by default.
const BATCH: usize = 32;
/// Codes of a collection and of an index that is not there, the elder and the later one.
const NO_COLLECTION: [i32; 2] = [4, 100];
const NO_INDEX: [i32; 2] = [11, 700];
const LOADING: Duration = Duration::from_millis(200);
const LOADING_TRIES: usize = 40;

/// A collection of Milvus.
pub struct MilvusVectors {
    line: Line<Milvus>,
    name: String,
    hnsw: Hnsw,
}

impl MilvusVectors {
    /// Connects when it is first used.
    ///
    /// # Errors
    /// When the authorities are no certificates, or the secret cannot be sent.
    pub fn new(reached: &Reached) -> Result<Self, String> {
        let line = Line::new(Milvus::new(reached)?);
        Ok(MilvusVectors { line, name: reached.name.clone(), hnsw: reached.hnsw })
    }

    /// The answer, whatever its status says.
    async fn call<Q, A>(&self, method: &'static str, question: &Q) -> Result<A, StoreError>
    where
        Q: Message + Clone + 'static,
        A: Message + Default + 'static,
    {
        self.line.run(|open| open.call(method, question.clone())).await
    }

    async fn ask<Q, A>(&self, method: &'static str, question: &Q) -> Result<A, StoreError>
    where
        Q: Message + Clone + 'static,
        A: Message + Default + Told + 'static,
    {
        accepted(self.call(method, question).await?)
    }

    fn named(&self) -> NamedThird {
        NamedThird { collection_name: self.name.clone() }
    }

    /// Components of the vectors of the collection; none where there is no collection.
    async fn dimensions(&self) -> Result<Option<usize>, StoreError> {
        let described: Collection = self.call("DescribeCollection", &self.named()).await?;
        if lacks(&described, NO_COLLECTION) {
            return Ok(None);
        }
        let schema = accepted(described)?.schema.ok_or_else(|| malformed("schema"))?;
        let vector = schema.fields.iter().find(|field| field.data_type == FLOAT_VECTOR);
        let params = vector.map(|field| field.type_params.as_slice()).unwrap_or_default();
        let dim = params.iter().find(|param| param.key == "dim").and_then(|param| param.value.parse().ok());
        dim.map(Some).ok_or_else(|| malformed("dim of its vectors"))
    }

    async fn create(&self, dimensions: usize) -> Result<(), StoreError> {
        let schema = CollectionSchema { name: self.name.clone(), fields: fields(dimensions) };
        let creation = CreateCollection {
            collection_name: self.name.clone(),
            schema: schema.encode_to_vec(),
            consistency_level: BOUNDED,
        };
        let made: Result<Status, _> = self.ask("CreateCollection", &creation).await;
        match made {
            Ok(_) => Ok(()),
            // Somebody else was faster.
            Err(error) => match self.dimensions().await? {
                Some(stored) => same_size(&self.name, stored, dimensions),
                None => Err(error),
            },
        }
    }

    async fn index(&self) -> Result<(), StoreError> {
        let question =
            DescribeIndex { collection_name: self.name.clone(), field_name: rows::VECTOR.to_owned() };
        let described: Outcome = self.call("DescribeIndex", &question).await?;
        if !lacks(&described, NO_INDEX) {
            return accepted(described).map(|_| ());
        }
        let Hnsw { m, ef_construction, .. } = self.hnsw;
        let creation = CreateIndex {
            collection_name: self.name.clone(),
            field_name: rows::VECTOR.to_owned(),
            extra_params: vec![
                pair("index_type", "HNSW"),
                pair("metric_type", "COSINE"),
                pair("params", format!(r#"{{"M":{m},"efConstruction":{ef_construction}}}"#)),
            ],
        };
        let _: Status = self.ask("CreateIndex", &creation).await?;
        Ok(())
    }

    /// Has the collection searched from memory, and waits until it is.
    async fn load(&self) -> Result<(), StoreError> {
        let _: Status = self.ask("LoadCollection", &self.named()).await?;
        let question = GetLoadState { collection_name: self.name.clone() };
        for _ in 0..LOADING_TRIES {
            let now: LoadState = self.ask("GetLoadState", &question).await?;
            if now.state == LOADED {
                return Ok(());
            }
            sleep(LOADING).await;
        }
        Err(StoreError::Rejected(format!("the collection {} is still being loaded", self.name)))
    }

    async fn delete(&self, expr: String) -> Result<(), StoreError> {
        let deletion = Delete { collection_name: self.name.clone(), expr };
        let _: Outcome = self.ask("Delete", &deletion).await?;
        Ok(())
    }
}

fn lacks(answer: &impl Told, codes: [i32; 2]) -> bool {
    answer.status().is_some_and(|status| status.error_code == codes[0] || status.code == codes[1])
}

#[async_trait]
impl SearchVectors for MilvusVectors {
    async fn nearest(
        &self,
        partition: &str,
        vector: &[f32],
        most: usize,
    ) -> Result<Vec<Neighbour>, StoreError> {
        let searched = Placeholder { tag: "$0".to_owned(), kind: FLOAT_VECTOR, values: vec![bytes(vector)] };
        let ef = (self.hnsw.ef_search as usize).max(most);
        let search = Search {
            collection_name: self.name.clone(),
            dsl: format!("{} == \"{}\"", rows::PARTITION, digest(partition)),
            placeholder_group: Placeholders { placeholders: vec![searched] }.encode_to_vec(),
            dsl_type: EXPRESSION,
            output_fields: OUTPUT.map(str::to_owned).to_vec(),
            search_params: vec![
                pair("anns_field", rows::VECTOR),
                pair("topk", most),
                pair("metric_type", "COSINE"),
                pair("round_decimal", -1),
                pair("params", format!(r#"{{"ef":{ef}}}"#)),
            ],
            nq: 1,
            use_default_consistency: true,
        };
        let found: Found = self.ask("Search", &search).await?;
        neighbours(found.results.unwrap_or_default())
    }
}

#[async_trait]
impl WriteVectors for MilvusVectors {
    async fn upsert(&self, records: &[VectorRecord]) -> Result<(), StoreError> {
        for records in latest(records).chunks(BATCH) {
            let upsert = Upsert {
                collection_name: self.name.clone(),
                fields_data: columns(records),
                num_rows: u32::try_from(records.len()).unwrap_or(u32::MAX),
            };
            let _: Outcome = self.ask("Upsert", &upsert).await?;
        }
        Ok(())
    }

    async fn remove(&self, partition: &str, ids: &[&str]) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        let keys: Vec<_> = ids.iter().map(|id| format!("\"{}\"", key(partition, id))).collect();
        self.delete(format!("{} in [{}]", rows::KEY, keys.join(", "))).await
    }

    async fn sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        self.delete(format!("{} < {}", rows::EXPIRES, now.millis())).await
    }
}

#[async_trait]
impl SetUpVectors for MilvusVectors {
    async fn set_up(&self, dimensions: usize) -> Result<bool, StoreError> {
        let stored = self.dimensions().await?;
        match stored {
            Some(stored) => same_size(&self.name, stored, dimensions)?,
            None => self.create(dimensions).await?,
        }
        // Also where the collection was there: who made it may not have come this far.
        self.index().await?;
        self.load().await?;
        Ok(stored.is_none())
    }
}
