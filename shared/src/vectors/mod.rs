//! Stores of vectors for the semantic tier of the cache, each behind a feature of its own. The one
//! that needs no feature of its own is the vector index of the cache table, in `aws`.

#[cfg(feature = "aws")]
mod deployed;
#[cfg(feature = "memory")]
mod memory;
#[cfg(feature = "vectors-milvus")]
mod milvus;
#[cfg(feature = "aws")]
mod open;
#[cfg(feature = "vectors-pgvector")]
mod pgvector;
#[cfg(feature = "vectors-qdrant")]
mod qdrant;
mod reached;
#[cfg(feature = "vectors-redis")]
mod redis;
#[cfg(feature = "wire")]
mod rules;
#[cfg(feature = "wire")]
mod swept;
#[cfg(feature = "wire")]
mod wire;

use crate::ports::{SearchVectors, SetUpVectors, WriteVectors};

#[cfg(feature = "aws")]
pub use deployed::open_deployed;
#[cfg(feature = "memory")]
pub use memory::MemoryVectors;
#[cfg(feature = "vectors-milvus")]
pub use milvus::MilvusVectors;
#[cfg(feature = "aws")]
pub use open::{open, open_server};
#[cfg(feature = "vectors-pgvector")]
pub use pgvector::PgVectors;
#[cfg(feature = "vectors-qdrant")]
pub use qdrant::QdrantVectors;
pub use reached::Reached;
#[cfg(feature = "vectors-redis")]
pub use redis::RedisVectors;

/// All that a store of vectors can do. A function is given the parts that it needs.
pub trait VectorStore: SearchVectors + WriteVectors + SetUpVectors {}

impl<T: SearchVectors + WriteVectors + SetUpVectors> VectorStore for T {}
