use std::convert::Infallible;
use std::sync::Arc;

use lambda_http::{Request, run_with_streaming_response, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let app = chat::wiring::from_environment().await?;
    run_with_streaming_response(service_fn(move |event: Request| {
        let app = Arc::clone(&app);
        async move { Ok::<_, Infallible>(chat::invoke(&app, event).await) }
    }))
    .await
}
