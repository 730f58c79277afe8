use std::sync::Arc;

use lambda_runtime::{LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let indexer = Arc::new(indexer::wiring::from_environment().await?);
    run(service_fn(move |event: LambdaEvent<Value>| {
        let indexer = Arc::clone(&indexer);
        async move { indexer::invoke(&indexer, event).await }
    }))
    .await
}
