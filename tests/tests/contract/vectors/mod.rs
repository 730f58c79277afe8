//! The contract of the stores of vectors: one suite, run in memory, on the embedded DynamoDB, on a
//! scripted Qdrant, and on the real servers that `tests/tools/vector_servers.py` starts. Where a variable names no server, the cases
//! of its store say so and pass without having run.
//!
//! A case is an async function of a store; `on_every_vector_store!` makes one test of it for each.

macro_rules! on_vector_store {
    ($store:ident: $($case:ident),+) => {
        mod $store {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    if let Some(tested) = crate::contract::vectors::stores::$store().await {
                        super::$case(&tested).await;
                    }
                }
            )+
        }
    };
}

macro_rules! on_every_vector_store {
    ($($case:ident),+ $(,)?) => {
        on_vector_store!(embedded: $($case),+);
        on_vector_store!(memory: $($case),+);
        on_vector_store!(server_redis: $($case),+);
        on_vector_store!(server_pgvector: $($case),+);
        on_vector_store!(server_milvus: $($case),+);
        on_vector_store!(scripted_qdrant: $($case),+);
    };
}

mod keeping;
mod qdrant;
mod reaching;
mod records;
mod removal;
mod searching;
mod setting_up;
mod stores;
