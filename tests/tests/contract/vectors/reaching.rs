//! Who is let in: servers that want TLS and a password are reached by who knows both, and by nobody else.

use std::sync::Arc;

use shared::ports::StoreError;
use shared::vectors::{Reached, VectorStore};

use super::qdrant::{KEY, Scripted};
use super::records::{DIMENSIONS, axis};
use super::stores::{Make, milvus, pgvector, qdrant, reached, redis};

/// Each server with a variable that names it.
const SERVERS: [(&str, Make); 3] =
    [("TOLLGATE_REDIS", redis), ("TOLLGATE_PGVECTOR", pgvector), ("TOLLGATE_MILVUS", milvus)];

async fn refusal(store: Arc<dyn VectorStore>) -> String {
    match store.nearest("nobody", &axis(0), 1).await {
        Err(StoreError::Rejected(why)) => why,
        other => panic!("let in: {other:?}"),
    }
}

#[tokio::test]
async fn server_certificates_of_strangers_are_refused() {
    for (variable, make) in SERVERS {
        let Some(known) = reached(variable) else { return };
        let why = refusal(make(&Reached { authorities: Vec::new(), ..known })).await;
        assert!(why.contains("certificate"), "{variable}: {why}");
    }
}

#[tokio::test]
async fn server_passwords_are_wanted_and_must_be_right() {
    for (variable, make) in &SERVERS[..2] {
        let Some(known) = reached(variable) else { return };
        for secret in [None, Some("wrong".to_owned())] {
            let why = refusal(make(&Reached { secret, ..known.clone() })).await.to_lowercase();
            assert!(why.contains("password") || why.contains("auth"), "{variable}: {why}");
        }
        assert_eq!(make(&known).set_up(DIMENSIONS).await, Ok(true), "{variable}");
    }
}

#[tokio::test]
async fn an_api_key_of_qdrant_must_be_right() {
    let known = Scripted::start().await.reached();
    let why = refusal(qdrant(&Reached { secret: Some("wrong".to_owned()), ..known.clone() })).await;
    assert!(why.contains("401"), "{why}");
    assert_eq!(known.secret.as_deref(), Some(KEY));
    assert_eq!(qdrant(&known).set_up(DIMENSIONS).await, Ok(true));
}

#[tokio::test]
async fn a_server_that_is_not_there_says_so() {
    // Bound and closed again: nobody listens there.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let url = format!("http://127.0.0.1:{}", nobody.expect("a free port").port());
    let known = Scripted::start().await.reached();
    let gone = Reached { url: url.parse().expect("a URL"), ..known };
    for make in [qdrant as Make, milvus, redis, pgvector] {
        let why = refusal(make(&gone)).await;
        assert!(why.to_lowercase().contains("refused"), "{why}");
    }
}
