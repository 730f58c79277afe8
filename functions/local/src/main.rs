use std::process::ExitCode;

use clap::Parser;
use local::commands::Command;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    Command::parse().run().await
}
