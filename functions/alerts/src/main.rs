use std::sync::Arc;

use lambda_runtime::{LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let alerts = Arc::new(alerts::wiring::from_environment()?);
    run(service_fn(move |_: LambdaEvent<Value>| {
        let alerts = Arc::clone(&alerts);
        async move { alerts::handle(&alerts).await }
    }))
    .await
}
