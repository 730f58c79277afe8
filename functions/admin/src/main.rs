use std::convert::Infallible;
use std::sync::Arc;

use lambda_http::{Request, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let office = Arc::new(admin::wiring::from_environment().await?);
    run(service_fn(move |event: Request| {
        let office = Arc::clone(&office);
        async move { Ok::<_, Infallible>(admin::invoke(&office, event).await) }
    }))
    .await
}
