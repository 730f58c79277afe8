//! The `rag` section: the store behind document search.

use super::names::named_enum;
use super::section::Section;

pub(super) const KEYS: &[&str] = &["provider"];

named_enum! {
    /// Where document vectors are kept and searched.
    RagProvider {
        /// A DynamoDB table with a vector index.
        DynamoDb => "dynamodb",
        /// PostgreSQL with pgvector.
        PgVector => "pgvector",
        /// A Qdrant server.
        Qdrant => "qdrant",
        /// A Milvus server.
        Milvus => "milvus",
    }
}

/// Document search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rag {
    /// The store of documents' vectors.
    pub provider: RagProvider,
}

impl Default for Rag {
    fn default() -> Rag {
        Rag { provider: RagProvider::DynamoDb }
    }
}

impl Rag {
    pub(super) fn read(section: &Section<'_>) -> Rag {
        let default = Rag::default();
        Rag { provider: section.choice("provider", default.provider) }
    }
}
