//! The store that the configuration names.

use std::sync::Arc;

use super::{Reached, VectorStore};
use crate::aws::{Clients, DynamoVectors};
use crate::config::{Cache, CacheProvider, StoreScheme, VectorServer};
use crate::ports::FindSecret;

/// A store that was made from what an adapter wants of it.
type Made = Result<Arc<dyn VectorStore>, String>;

/// Makes the store of `cache.provider`. A server is reached when it is first asked for something.
///
/// # Errors
/// Naming the key of the configuration, or the reference of the secret, that is at fault.
pub async fn open(cache: &Cache, clients: &Clients, table: &str, secrets: &dyn FindSecret) -> Made {
    match cache.provider {
        CacheProvider::DynamoDb => Ok(Arc::new(DynamoVectors::new(clients.clone(), table.to_owned()))),
        CacheProvider::Memory => Err("cache.provider memory is a store of one process".to_owned()),
        provider => {
            let reached = reached(provider, &cache.store, secrets).await?;
            server(provider, &reached).map_err(|why| format!("cache.store: {why}"))
        }
    }
}

fn server(provider: CacheProvider, reached: &Reached) -> Made {
    match provider {
        #[cfg(feature = "vectors-redis")]
        CacheProvider::Redis => Ok(Arc::new(super::RedisVectors::new(reached)?)),
        #[cfg(feature = "vectors-pgvector")]
        CacheProvider::PgVector => Ok(Arc::new(super::PgVectors::new(reached)?)),
        other => Err(format!("{other} at {:?} is not part of this build", reached.url.host)),
    }
}

async fn reached(
    provider: CacheProvider,
    store: &VectorServer,
    secrets: &dyn FindSecret,
) -> Result<Reached, String> {
    let url = store.url.clone().ok_or_else(|| format!("cache.store.url is needed for {provider}"))?;
    let speaks = match provider {
        CacheProvider::Redis => StoreScheme::Redis,
        CacheProvider::PgVector => StoreScheme::Postgres,
        _ => StoreScheme::Http,
    };
    if url.scheme != speaks {
        return Err(format!("cache.store.url is no URL of {provider}"));
    }
    let secret = match &store.secret {
        Some(reference) => Some(secrets.find_secret(reference).await?),
        None => None,
    };
    let authorities = match &store.ca_file {
        Some(file) => std::fs::read(file).map_err(|error| format!("cache.store.ca_file {file}: {error}"))?,
        None => Vec::new(),
    };
    let name = store.name.as_str().to_owned();
    Ok(Reached { url, secret, name, authorities, hnsw: store.hnsw })
}
