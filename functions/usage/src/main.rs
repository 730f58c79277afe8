use std::sync::Arc;

use lambda_runtime::{LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let usage = Arc::new(usage::wiring::from_environment().await?);
    run(service_fn(move |event: LambdaEvent<Value>| {
        let usage = Arc::clone(&usage);
        async move { usage::event::invoke(&usage, event).await }
    }))
    .await
}
