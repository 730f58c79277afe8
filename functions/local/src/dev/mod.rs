//! `tollgate dev`: all functions in one process on localhost, with embedded stores.

mod banner;
pub(crate) mod files;
mod gateway;
mod parts;
mod providers;
mod queue;
mod remembered;
mod rollups;
mod schedule;
mod semantic;
mod server;
mod telemetry;
mod vectors;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use shared::log::{self, Sink};
use tokio::net::TcpListener;

pub use gateway::{Gateway, Stores};
pub use semantic::Tier;
pub use server::serve;

#[derive(Debug, Args)]
pub struct Options {
    /// Port on 127.0.0.1; 0 picks a free one.
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// Where keys, budgets, ledger and cache are kept.
    #[arg(long, default_value = ".tollgate")]
    data: PathBuf,
    /// Configuration file; without it config/ai-gateway.json, if there is one.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Price list; without it config/prices.json, if there is one, else the built-in list.
    #[arg(long)]
    prices: Option<PathBuf>,
    /// Which stores to use.
    #[arg(long, value_enum, default_value_t = Store::Embedded)]
    store: Store,
    /// The URL of a DynamoDB Local to use instead, which several gateways may share. Missing tables
    /// are made. It is called without credentials, so AWS itself refuses.
    #[arg(long, value_name = "URL", conflicts_with = "store")]
    dynamodb: Option<String>,
    /// Folder with the embedder's weights as set-up lays them out, `weights.onnx` and `vocab.txt`; without
    /// them near questions are not searched. Else .tools/models/all-minilm-l6-v2, if there is one.
    #[arg(long, value_name = "DIR", env = "TOLLGATE_EMBEDDER")]
    embedder: Option<PathBuf>,
    /// Folder with the dashboard's chart library; without it the page has tables only. Else
    /// .tools/charts, if there is one.
    #[arg(long, value_name = "DIR", env = "TOLLGATE_CHARTS")]
    charts: Option<PathBuf>,
    /// Where vectors are searched. Else the server of `cache.provider`, if `cache.store` tells of one, or
    /// memory.
    #[arg(long, value_enum)]
    vectors: Option<Search>,
    /// Seconds that a request may take, as the timeout of the functions in AWS; at most 900.
    #[arg(long, value_name = "SECONDS", default_value_t = 900, value_parser = clap::value_parser!(u64).range(4..=900))]
    timeout: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Store {
    /// An embedded DynamoDB in the data directory.
    Embedded,
    /// Memory: nothing survives the process.
    Memory,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Search {
    /// An exact scan in memory, filled from the cache table at start.
    Memory,
    /// The vector index of the cache table.
    Dynamodb,
    /// The server of `cache.provider`.
    #[value(skip)]
    Server,
}

pub(super) async fn run(options: Options) -> Result<(), String> {
    let config = files::config(options.config.as_deref())?;
    let prices = files::prices(options.prices.as_deref())?;
    log::init(config.observability.log_level, Sink::Stderr);
    let secrets = files::Secrets::open(&options.data)?;
    let stores = match (&options.dynamodb, options.store) {
        (Some(url), _) => Stores::dynamodb_local(url).await?,
        (None, Store::Memory) => Stores::memory(),
        (None, Store::Embedded) => Stores::embedded(&options.data).await?,
    };
    let search = vectors::search(options.vectors, &config.cache);
    let tier = match semantic::embedder(options.embedder.as_deref())? {
        Some(embedder) => {
            let bought = config.cache.embedder.as_ref().map(|bought| bought.dimensions as usize);
            let dimensions = bought.unwrap_or_else(|| embedder.dimensions());
            Some(Tier { embedder, vectors: vectors::open(search, &config.cache, &stores, dimensions).await? })
        }
        None => None,
    };
    let searched = tier.is_some().then_some(search);
    let provided = providers::provide(config, &prices).await?;
    let demo_stands_in = provided.demo_stands_in;
    let files = files::dashboard(options.charts.as_deref());
    let gateway = Gateway::new(provided, prices, stores, &secrets, tier, files)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let listener =
        TcpListener::bind(address).await.map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let url = format!("http://{}", listener.local_addr().map_err(|error| error.to_string())?);
    banner::print(&gateway, &options.data, &url, demo_stands_in, searched).await?;
    let observer = Arc::clone(&gateway.app.observer);
    serve(listener, gateway, Duration::from_secs(options.timeout), shutdown()).await;
    observer.flush().await;
    Ok(())
}

/// Resolves at Ctrl-C or SIGTERM.
pub async fn shutdown() {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await.unwrap_or(()),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
