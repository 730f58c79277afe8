use std::sync::Arc;

use lambda_runtime::{LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let function = Arc::new(cache::wiring::from_environment().await?);
    run(service_fn(move |event: LambdaEvent<Value>| {
        let function = Arc::clone(&function);
        async move { cache::event::invoke(&function, event).await }
    }))
    .await
}
