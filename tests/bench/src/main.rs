//! The moving parts of `make bench`: an upstream that costs next to nothing, a pass-through that
//! does nothing but carry bytes, and the client that loads either or the gateway.

mod load;
mod proxy;
mod server;
mod upstream;

use std::process::ExitCode;

const USAGE: &str = "usage: bench upstream | bench proxy HOST:PORT | bench load PLAN.json";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["upstream"] => server::serve(upstream::answer).await,
        ["proxy", authority] => proxy::serve(authority).await,
        ["load", plan] => load::run(plan).await,
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
