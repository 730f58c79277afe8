//! The store contract: one suite, run on memory, on the embedded DynamoDB in memory and in a file,
//! and on Amazon's DynamoDB Local where `TOLLGATE_DYNAMODB_LOCAL` names one. Without it the cases
//! of `dynamodb_local` pass without having run; `tests/tools/dynamodb_local.sh` provides it.
//!
//! A case is an async function of the stores; `on_every_store!` makes one test of it for each.

macro_rules! on_store {
    ($store:ident: $($case:ident),+) => {
        mod $store {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    if let Some(stores) = crate::contract::stores::$store().await {
                        super::$case(&stores).await;
                    }
                }
            )+
        }
    };
}

macro_rules! on_dynamodb {
    ($($case:ident),+ $(,)?) => {
        on_store!(embedded: $($case),+);
        on_store!(embedded_file: $($case),+);
        on_store!(dynamodb_local: $($case),+);
    };
}

macro_rules! on_every_store {
    ($($case:ident),+ $(,)?) => {
        on_store!(memory: $($case),+);
        on_dynamodb!($($case),+);
    };
}

mod alerts;
mod answers;
mod audit;
mod breakers;
mod counters;
mod faults;
mod fences;
mod idempotency;
mod keys;
mod marks;
mod model;
mod policies;
mod rollups;
mod samples;
mod settling;
mod stops;
mod stores;
mod sweeps;
mod vectors;
