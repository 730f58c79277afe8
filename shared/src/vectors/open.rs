//! The store that the configuration names.

use std::sync::Arc;

#[cfg(feature = "wire")]
use super::swept::Swept;
use super::{Reached, VectorStore};
use crate::aws::{Clients, DynamoVectors};
use crate::config::{Cache, CacheProvider, StoreScheme, VectorServer};
use crate::ports::{Clock, FindSecret};

/// A store that was made from what an adapter wants of it.
type Made = Result<Arc<dyn VectorStore>, String>;

/// Makes the store of `cache.provider`. A server is reached when it is first asked for something.
///
/// # Errors
/// Naming the key of the configuration, or the reference of the secret, that is at fault.
pub async fn open(
    cache: &Cache,
    clients: &Clients,
    table: &str,
    secrets: &dyn FindSecret,
    clock: &Arc<dyn Clock>,
) -> Made {
    match cache.provider {
        CacheProvider::DynamoDb => Ok(Arc::new(DynamoVectors::new(clients.clone(), table.to_owned()))),
        CacheProvider::Memory => Err("cache.provider memory is a store of one process".to_owned()),
        _ => open_server(cache, secrets, clock).await,
    }
}

/// Makes the store of a `cache.provider` that has a server of its own.
///
/// # Errors
/// As [`open`].
pub async fn open_server(cache: &Cache, secrets: &dyn FindSecret, clock: &Arc<dyn Clock>) -> Made {
    let reached = reached(cache.provider, &cache.store, secrets).await?;
    server(cache.provider, &reached, clock).map_err(|why| format!("cache.store: {why}"))
}

#[cfg(feature = "wire")]
fn server(provider: CacheProvider, reached: &Reached, clock: &Arc<dyn Clock>) -> Made {
    let store: Arc<dyn VectorStore> = match provider {
        #[cfg(feature = "vectors-redis")]
        CacheProvider::Redis => Arc::new(super::RedisVectors::new(reached)?),
        #[cfg(feature = "vectors-pgvector")]
        CacheProvider::PgVector => Arc::new(super::PgVectors::new(reached)?),
        #[cfg(feature = "vectors-qdrant")]
        CacheProvider::Qdrant => Arc::new(super::QdrantVectors::new(reached)?),
        #[cfg(feature = "vectors-milvus")]
        CacheProvider::Milvus => Arc::new(super::MilvusVectors::new(reached)?),
        other => return Err(format!("{other} is not part of this build")),
    };
    Ok(Arc::new(Swept::new(store, Arc::clone(clock))))
}

#[cfg(not(feature = "wire"))]
fn server(provider: CacheProvider, _: &Reached, _: &Arc<dyn Clock>) -> Made {
    Err(format!("{provider} is not part of this build"))
}

async fn reached(
    provider: CacheProvider,
    store: &VectorServer,
    secrets: &dyn FindSecret,
) -> Result<Reached, String> {
    let url = store.url.clone().ok_or_else(|| format!("cache.store.url is needed for {provider}"))?;
    let (speaks, wanted) = match provider {
        CacheProvider::Redis => (StoreScheme::Redis, "rediss://"),
        CacheProvider::PgVector => (StoreScheme::Postgres, "postgres://"),
        _ => (StoreScheme::Http, "https://"),
    };
    if url.scheme != speaks {
        return Err(format!("cache.store.url: {provider} is reached at {wanted}..."));
    }
    let secret = match &store.secret {
        Some(reference) => {
            let found = secrets.find_secret(reference).await;
            Some(found.map_err(|why| format!("cache.store.secret: {why}"))?)
        }
        None => None,
    };
    let authorities = match &store.ca_file {
        Some(file) => std::fs::read(file).map_err(|error| format!("cache.store.ca_file {file}: {error}"))?,
        None => Vec::new(),
    };
    let name = store.name.as_str().to_owned();
    Ok(Reached { url, secret, name, authorities, hnsw: store.hnsw })
}

#[cfg(all(test, feature = "vectors"))]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::config::{Config, SecretRef};
    use crate::domain::time::Timestamp;

    struct Still;

    impl Clock for Still {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(0)
        }
    }

    struct OneSecret;

    #[async_trait]
    impl FindSecret for OneSecret {
        async fn find_secret(&self, reference: &SecretRef) -> Result<String, String> {
            match reference.to_string().as_str() {
                "env:KNOWN" => Ok("a secret".to_owned()),
                other => Err(format!("{other} is not set")),
            }
        }
    }

    async fn why(provider: &str, store: &str) -> Option<String> {
        let text = format!(r#"{{"cache": {{"provider": "{provider}", "store": {store}}}}}"#);
        let cache = Config::parse(&text).expect("valid").cache;
        let clock: Arc<dyn Clock> = Arc::new(Still);
        open_server(&cache, &OneSecret, &clock).await.err()
    }

    #[tokio::test]
    async fn every_server_is_opened_where_its_scheme_secret_and_name_fit() {
        for (provider, url) in [
            ("redis", "rediss://me@cache.example.com/0"),
            ("pgvector", "postgres://me@db.example.com/vectors"),
            ("qdrant", "https://qdrant.example.com:6333"),
            ("milvus", "https://me@milvus.example.com"),
        ] {
            let store = format!(r#"{{"url": "{url}", "secret": "env:KNOWN"}}"#);
            assert_eq!(why(provider, &store).await, None, "{provider}");
        }
    }

    #[tokio::test]
    async fn what_cannot_work_is_refused_by_the_key_that_is_at_fault() {
        let redis = |rest: &str| format!(r#"{{"url": "rediss://a.example.com"{rest}}}"#);
        for (provider, store, words) in [
            ("redis", "{}".to_owned(), "cache.store.url is needed for redis"),
            ("pgvector", redis(""), "cache.store.url: pgvector is reached at postgres://..."),
            ("milvus", redis(""), "cache.store.url: milvus is reached at https://..."),
            ("redis", redis(r#", "secret": "env:NO""#), "cache.store.secret: env:NO is not set"),
            (
                "redis",
                redis(r#", "ca_file": "no/such.pem""#),
                "cache.store.ca_file no/such.pem: No such file",
            ),
            ("redis", r#"{"url": "rediss://a.example.com/vectors"}"#.to_owned(), "cache.store: the database"),
        ] {
            let why = why(provider, &store).await.unwrap_or_default();
            assert!(why.starts_with(words), "{provider}: {why}");
        }
    }
}
