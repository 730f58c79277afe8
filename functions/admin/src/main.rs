use std::convert::Infallible;
use std::sync::Arc;

use lambda_http::{Request, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let admin = Arc::new(admin::wiring::from_environment().await?);
    run(service_fn(move |event: Request| {
        let admin = Arc::clone(&admin);
        async move { Ok::<_, Infallible>(admin::invoke(&admin, event).await) }
    }))
    .await
}
