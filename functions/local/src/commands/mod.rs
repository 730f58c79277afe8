//! What `tollgate` can be told to do. Exit code 0 is done, 1 refused or failed, 2 wrong use.

mod alerts;
mod audit;
mod budgets;
mod cache;
mod gateway;
mod keys;
mod prices;
mod tenants;
mod usage;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::net::TcpListener;

use crate::demo::{self, Demo};
use crate::dev;

/// An AI gateway for AWS Lambda, whole on a laptop.
#[derive(Debug, Parser)]
#[command(name = "tollgate", version, about)]
pub struct Command {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Run the gateway on this machine, with embedded stores.
    Dev(dev::Options),
    /// Make, show, change, list and revoke keys of a running gateway.
    Keys(keys::Options),
    /// List and show the tenants of a running gateway.
    Tenants(tenants::Options),
    /// List the teams of a running gateway.
    Teams(tenants::TeamOptions),
    /// Set and show budgets and limits of a running gateway.
    Budgets(budgets::Options),
    /// List what the operator of a running gateway was told, and say that it is seen to.
    Alerts(alerts::Options),
    /// List what admins changed on a running gateway.
    Audit(audit::Options),
    /// Set up, fill, question and invalidate the cache of a running gateway.
    Cache(cache::Options),
    /// List prices, import them from a public catalogue, and compare the two; needs no gateway.
    Prices(prices::Options),
    /// Rebuild the rollups of usage of a running gateway.
    Usage(usage::Options),
    /// Run the scripted demo provider alone.
    Demo {
        /// Port on 127.0.0.1; 0 picks a free one.
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
}

impl Command {
    pub async fn run(self) -> ExitCode {
        let done = match self.what {
            What::Dev(options) => dev::run(options).await,
            What::Keys(options) => keys::run(options).await,
            What::Tenants(options) => tenants::run(options).await,
            What::Teams(options) => tenants::run_teams(options).await,
            What::Alerts(options) => alerts::run(options).await,
            What::Audit(options) => audit::run(options).await,
            What::Budgets(options) => budgets::run(options).await,
            What::Cache(options) => return cache::run(options).await,
            What::Prices(options) => return prices::run(&options),
            What::Usage(options) => usage::run(options).await,
            What::Demo { port } => demo(port).await,
        };
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                eprintln!("tollgate: {why}");
                ExitCode::FAILURE
            }
        }
    }
}

async fn demo(port: u16) -> Result<(), String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener =
        TcpListener::bind(address).await.map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    println!("ready http://{address}");
    demo::serve(listener, Demo::new(), dev::shutdown()).await.map_err(|error| error.to_string())
}
