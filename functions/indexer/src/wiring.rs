//! Builds the function's needs from its environment.

use std::sync::Arc;

use shared::app::semantic::Indexer;
use shared::aws::{
    DynamoAnswers, DynamoPrecision, DynamoVectors, Environment, StartError, embedder_folder, variable,
};
use shared::config::CacheProvider;
use shared::embed::MiniLm;
use shared::log::{self, Sink};

/// # Errors
/// [`StartError`]: a function that cannot keep its promises does not start.
pub async fn from_environment() -> Result<Indexer, StartError> {
    let environment = Environment::load()?;
    log::init(environment.config.observability.log_level, Sink::Stdout);
    let (clients, table) = (environment.clients.clone(), variable("CACHE_TABLE")?);
    let cache = environment.config.cache;
    if cache.provider != CacheProvider::DynamoDb {
        return Err(format!("cache.provider: the function does not write to {}", cache.provider).into());
    }
    Ok(Indexer {
        cache,
        embedder: Arc::new(MiniLm::load(&embedder_folder(), 1)?),
        vectors: Arc::new(DynamoVectors::new(clients.clone(), table.clone())),
        answers: Arc::new(DynamoAnswers::new(clients.clone(), table.clone())),
        precision: Arc::new(DynamoPrecision::new(clients, table)),
        clock: environment.clock,
    })
}
