//! The stores under test, each empty and of its own.

use std::sync::Arc;

use local::embedded::Embedded;
use shared::aws::{DynamoVectors, VECTOR_INDEX};
use shared::config::{Hnsw, StoreUrl};
use shared::vectors::{
    MemoryVectors, MilvusVectors, PgVectors, QdrantVectors, Reached, RedisVectors, VectorStore,
};

use super::qdrant::Scripted;
use crate::contract::stores::unique;

/// A store, and what it promises beyond the port.
pub(super) struct Tested {
    pub(super) store: Arc<dyn VectorStore>,
    /// A store of the same kind whose index nobody made, and what its errors call that index.
    pub(super) bare: Arc<dyn VectorStore>,
    pub(super) index: String,
    /// Whether the index comes with the store, so that set-up finds it there.
    pub(super) has_index: bool,
    /// Whether a sweep removes at once what has expired.
    pub(super) sweeps: bool,
    /// Share of the true nearest that a search finds at least.
    pub(super) recall: f64,
}

pub(super) async fn embedded() -> Option<Tested> {
    let embedded = Embedded::open(None).await.expect("a database in memory");
    let tables = Embedded::tables();
    Some(Tested {
        store: Arc::new(DynamoVectors::new(embedded.clients(), tables.cache)),
        bare: Arc::new(DynamoVectors::new(embedded.clients(), tables.control)),
        index: VECTOR_INDEX.to_owned(),
        has_index: true,
        sweeps: false,
        recall: 1.0,
    })
}

pub(super) async fn memory() -> Option<Tested> {
    Some(Tested {
        store: Arc::new(MemoryVectors::default()),
        bare: Arc::new(MemoryVectors::default()),
        index: "memory".to_owned(),
        has_index: false,
        sweeps: true,
        recall: 1.0,
    })
}

/// None where `TOLLGATE_REDIS` names no server.
pub(super) async fn server_redis() -> Option<Tested> {
    tested(redis, &reached("TOLLGATE_REDIS")?)
}

/// None where `TOLLGATE_PGVECTOR` names no server.
pub(super) async fn server_pgvector() -> Option<Tested> {
    tested(pgvector, &reached("TOLLGATE_PGVECTOR")?)
}

/// None where `TOLLGATE_MILVUS` names no server.
pub(super) async fn server_milvus() -> Option<Tested> {
    tested(milvus, &reached("TOLLGATE_MILVUS")?)
}

pub(super) async fn scripted_qdrant() -> Option<Tested> {
    let server = Scripted::start().await;
    tested(qdrant, &server.reached())
}

pub(super) type Make = fn(&Reached) -> Arc<dyn VectorStore>;

pub(super) fn redis(reached: &Reached) -> Arc<dyn VectorStore> {
    Arc::new(RedisVectors::new(reached).expect("a store"))
}

pub(super) fn pgvector(reached: &Reached) -> Arc<dyn VectorStore> {
    Arc::new(PgVectors::new(reached).expect("a store"))
}

pub(super) fn milvus(reached: &Reached) -> Arc<dyn VectorStore> {
    Arc::new(MilvusVectors::new(reached).expect("a store"))
}

pub(super) fn qdrant(reached: &Reached) -> Arc<dyn VectorStore> {
    Arc::new(QdrantVectors::new(reached).expect("a store"))
}

/// The server that `variable` names, over TLS and with its password, and a name of its own there.
pub(super) fn reached(variable: &str) -> Option<Reached> {
    let Ok(url) = std::env::var(variable) else {
        println!("not run: {variable} names no server; tests/tools/vector_servers.py starts one");
        return None;
    };
    let given = |name: &str| std::env::var(name).expect("set beside the URLs");
    let url: StoreUrl = url.parse().expect("the URL of a store");
    Some(Reached {
        // No URL of PostgreSQL asks for TLS on this machine.
        url: StoreUrl { tls: true, ..url },
        secret: Some(given("TOLLGATE_VECTORS_PASSWORD")),
        name: named("kept"),
        authorities: std::fs::read(given("TOLLGATE_VECTORS_CA")).expect("a certificate"),
        hnsw: Hnsw::default(),
    })
}

pub(super) fn named(name: &str) -> String {
    unique(name).replace('-', "_")
}

fn tested(made: Make, reached: &Reached) -> Option<Tested> {
    let bare = Reached { name: named("bare"), ..reached.clone() };
    Some(Tested {
        store: made(reached),
        bare: made(&bare),
        index: bare.name,
        has_index: false,
        sweeps: true,
        recall: 0.95,
    })
}
