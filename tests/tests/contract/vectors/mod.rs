//! The contract of the stores of vectors, run on the embedded DynamoDB.
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
    };
}

mod keeping;
mod records;
mod removal;
mod searching;
mod setting_up;
mod stores;
