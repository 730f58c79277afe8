//! The least a function on `lambda_http` can be, started as ours are.

use std::convert::Infallible;

use lambda_http::{Request, Response, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    run(service_fn(|_: Request| async { Ok::<_, Infallible>(Response::new("ok".to_owned())) })).await
}
