//! A server of vectors as its adapter is told of it.

use crate::config::{Hnsw, StoreUrl};

/// How a server is reached, and what is kept there under which name.
#[derive(Clone)]
pub struct Reached {
    pub url: StoreUrl,
    /// The password, API key or token itself.
    pub secret: Option<String>,
    /// The name of the index, the table or the collection.
    pub name: String,
    /// Certificates in PEM whose owners may sign the server's; empty for none but the public ones.
    pub authorities: Vec<u8>,
    pub hnsw: Hnsw,
}

impl Reached {
    #[cfg(feature = "wire")]
    pub(super) fn host(&self) -> String {
        use crate::config::Host;

        match &self.url.host {
            Host::Name(name) => name.clone(),
            Host::Address(address) => address.to_string(),
        }
    }
    /// The host as URLs have it.
    #[cfg(any(feature = "vectors-qdrant", feature = "vectors-milvus"))]
    pub(super) fn authority(&self) -> String {
        match self.host() {
            address if address.contains(':') => format!("[{address}]"),
            name => name,
        }
    }
}
