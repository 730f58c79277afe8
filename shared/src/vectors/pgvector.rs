//! Vectors in PostgreSQL with pgvector: one table, with an HNSW index over the vectors.

use std::fmt::Write;
use std::sync::Arc;

use async_trait::async_trait;
use tokio_postgres::config::SslMode;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, Error, NoTls, Row};

use self::tls::Encrypt;
use super::Reached;
use super::rules::{digest, malformed};
use super::wire::{Dial, Failure, Line, Way};
use crate::client::causes;
use crate::config::Hnsw;
use crate::domain::time::Timestamp;
use crate::ports::vector_rules::{cosine, latest, same_size};
use crate::ports::{Neighbour, SearchVectors, SetUpVectors, StoreError, VectorRecord, WriteVectors};

mod tls;

const PORT: u16 = 5432;
/// Records in one statement: 100 KB of each payload make ten megabytes at most.
const BATCH: usize = 100;

/// A table of PostgreSQL. A partition is kept as its digest, an id as bytes, since text takes no
/// zero and its index no long names.
pub struct PgVectors {
    line: Line<Postgres>,
    table: String,
    hnsw: Hnsw,
}

struct Postgres {
    way: Way,
    login: Config,
    ef_search: u32,
}

#[async_trait]
impl Dial for Postgres {
    type Connection = Arc<Client>;

    async fn dial(&self) -> Result<Arc<Client>, Failure> {
        let broken = |error: std::io::Error| Failure::Broken(error.to_string());
        let stream = self.way.tcp().await.map_err(broken)?;
        let client = match self.way.is_encrypted() {
            true => {
                let encrypt = Encrypt(self.way.clone());
                let (client, connection) = self.login.connect_raw(stream, encrypt).await.map_err(failure)?;
                tokio::spawn(connection);
                client
            }
            false => {
                let (client, connection) = self.login.connect_raw(stream, NoTls).await.map_err(failure)?;
                tokio::spawn(connection);
                client
            }
        };
        // Without it, a filtered search of the graph ends with fewer than it was asked for.
        let settings =
            format!("SET hnsw.iterative_scan = strict_order; SET hnsw.ef_search = {}", self.ef_search);
        client.batch_execute(&settings).await.map_err(failure)?;
        Ok(Arc::new(client))
    }
}

impl PgVectors {
    /// Connects when it is first used.
    ///
    /// # Errors
    /// When the authorities are no certificates.
    pub fn new(reached: &Reached) -> Result<Self, String> {
        let way = Way::new(reached, PORT, None)?;
        let mut login = Config::new();
        let user = reached.url.user.as_deref().unwrap_or("postgres");
        login.user(user);
        login.dbname(match reached.url.database.as_str() {
            "" => user,
            database => database,
        });
        login.application_name("tollgate");
        login.ssl_mode(if way.is_encrypted() { SslMode::Require } else { SslMode::Disable });
        if let Some(password) = &reached.secret {
            login.password(password);
        }
        let line = Line::new(Postgres { way, login, ef_search: reached.hnsw.ef_search });
        Ok(PgVectors { line, table: reached.name.clone(), hnsw: reached.hnsw })
    }

    async fn rows(&self, query: &str, given: &[(&(dyn ToSql + Sync), Type)]) -> Result<Vec<Row>, StoreError> {
        self.line.run(|open| async move { open.query_typed(query, given).await.map_err(failure) }).await
    }

    /// Components of the vectors of the table; none where there is no table.
    async fn dimensions(&self) -> Result<Option<usize>, StoreError> {
        let query = "SELECT atttypmod FROM pg_attribute \
            WHERE attrelid = to_regclass($1::text) AND attname = 'vector' AND NOT attisdropped";
        let rows = self.rows(query, &[(&self.table, Type::TEXT)]).await?;
        let read = |row: &Row| row.try_get::<_, i32>(0).ok().and_then(|size| usize::try_from(size).ok());
        rows.first().map(|row| read(row).ok_or_else(|| malformed("size of its vectors"))).transpose()
    }

    /// What makes the table and its indexes. Two who do so at once would fail over each other's
    /// half-made types and the extension's, so they take turns.
    fn creation(&self, dimensions: usize) -> String {
        let (table, Hnsw { m, ef_construction, .. }) = (&self.table, self.hnsw);
        format!(
            "BEGIN;
             SELECT pg_advisory_xact_lock(hashtext('tollgate'));
             CREATE EXTENSION IF NOT EXISTS vector;
             CREATE TABLE IF NOT EXISTS {table} (
               partition bytea NOT NULL, id bytea NOT NULL, vector vector({dimensions}) NOT NULL,
               expires bigint NOT NULL, payload text NOT NULL, PRIMARY KEY (partition, id));
             CREATE INDEX IF NOT EXISTS {table}_vector ON {table} USING hnsw (vector vector_cosine_ops)
               WITH (m = {m}, ef_construction = {ef_construction});
             CREATE INDEX IF NOT EXISTS {table}_expires ON {table} (expires);
             COMMIT"
        )
    }
}

#[async_trait]
impl SearchVectors for PgVectors {
    async fn nearest(
        &self,
        partition: &str,
        vector: &[f32],
        most: usize,
    ) -> Result<Vec<Neighbour>, StoreError> {
        let query = format!(
            "SELECT id, 1 - (vector <=> $2::vector), expires, payload FROM {} \
             WHERE partition = $1 ORDER BY vector <=> $2::vector LIMIT $3",
            self.table
        );
        let (partition, vector) = (digest(partition).into_bytes(), text(vector));
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let given: [(&(dyn ToSql + Sync), Type); 3] =
            [(&partition, Type::BYTEA), (&vector, Type::TEXT), (&most, Type::INT8)];
        self.rows(&query, &given).await?.iter().map(neighbour).collect()
    }
}

#[async_trait]
impl WriteVectors for PgVectors {
    async fn upsert(&self, records: &[VectorRecord]) -> Result<(), StoreError> {
        let statement = format!(
            "INSERT INTO {} (partition, id, vector, expires, payload) \
             SELECT p, i, v::vector, e, t FROM unnest($1::bytea[], $2::bytea[], $3::text[], $4::int8[], $5::text[]) \
               AS given (p, i, v, e, t) \
             ON CONFLICT (partition, id) DO UPDATE \
               SET vector = excluded.vector, expires = excluded.expires, payload = excluded.payload",
            self.table
        );
        for records in latest(records).chunks(BATCH) {
            let partitions: Vec<_> = records.iter().map(|r| digest(&r.partition).into_bytes()).collect();
            let ids: Vec<_> = records.iter().map(|r| r.id.as_bytes()).collect();
            let vectors: Vec<_> = records.iter().map(|r| text(&r.vector)).collect();
            let expiries: Vec<_> = records.iter().map(|r| r.expires.millis()).collect();
            let payloads: Vec<_> = records.iter().map(|r| r.payload.as_str()).collect();
            let given: [(&(dyn ToSql + Sync), Type); 5] = [
                (&partitions, Type::BYTEA_ARRAY),
                (&ids, Type::BYTEA_ARRAY),
                (&vectors, Type::TEXT_ARRAY),
                (&expiries, Type::INT8_ARRAY),
                (&payloads, Type::TEXT_ARRAY),
            ];
            self.rows(&statement, &given).await?;
        }
        Ok(())
    }

    async fn remove(&self, partition: &str, ids: &[&str]) -> Result<(), StoreError> {
        let statement = format!("DELETE FROM {} WHERE partition = $1 AND id = ANY($2)", self.table);
        let partition = digest(partition).into_bytes();
        let ids: Vec<_> = ids.iter().map(|id| id.as_bytes()).collect();
        let given: [(&(dyn ToSql + Sync), Type); 2] = [(&partition, Type::BYTEA), (&ids, Type::BYTEA_ARRAY)];
        self.rows(&statement, &given).await.map(|_| ())
    }

    async fn sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        let statement = format!("DELETE FROM {} WHERE expires < $1", self.table);
        self.rows(&statement, &[(&now.millis(), Type::INT8)]).await.map(|_| ())
    }
}

#[async_trait]
impl SetUpVectors for PgVectors {
    async fn set_up(&self, dimensions: usize) -> Result<bool, StoreError> {
        if let Some(stored) = self.dimensions().await? {
            return same_size(&self.table, stored, dimensions).map(|()| false);
        }
        let creation = self.creation(dimensions);
        let creation = creation.as_str();
        self.line.run(|open| async move { open.batch_execute(creation).await.map_err(failure) }).await?;
        Ok(true)
    }
}

fn failure(error: Error) -> Failure {
    match error.as_db_error() {
        Some(refused) => Failure::Refused(format!("{}: {}", refused.code().code(), refused.message())),
        // What the client cannot make sense of leaves the connection in no known state either.
        None => Failure::Broken(causes(&error)),
    }
}

fn neighbour(row: &Row) -> Result<Neighbour, StoreError> {
    let unreadable = |error: Error| malformed(&error.to_string());
    let id = String::from_utf8(row.try_get(0).map_err(unreadable)?).map_err(|_| malformed("id"))?;
    Ok(Neighbour {
        id,
        similarity: cosine(row.try_get(1).map_err(unreadable)?),
        expires: Timestamp::from_millis(row.try_get(2).map_err(unreadable)?),
        payload: row.try_get(3).map_err(unreadable)?,
    })
}

/// A vector as pgvector reads it.
fn text(vector: &[f32]) -> String {
    let mut text = String::with_capacity(vector.len() * 12);
    for component in vector {
        text.push(if text.is_empty() { '[' } else { ',' });
        write!(text, "{component}").expect("a string takes everything");
    }
    text + "]"
}
