//! Builds the function's needs from its environment.

use std::sync::Arc;

use shared::app::semantic::Indexer;
use shared::aws::{
    DynamoAnswers, DynamoPrecision, Environment, StartError, VECTOR_DIMENSIONS, embedder_folder, variable,
};
use shared::config::CacheProvider;
use shared::embed::MiniLm;
use shared::log::{self, Sink};
use shared::vectors::open_deployed;

/// # Errors
/// [`StartError`]: a function that cannot keep its promises does not start.
pub async fn from_environment() -> Result<Indexer, StartError> {
    let environment = Environment::load()?;
    log::init(environment.config.observability.log_level, Sink::Stdout);
    let (clients, table) = (environment.clients.clone(), variable("CACHE_TABLE")?);
    let vectors = open_deployed(&environment, &table).await?;
    let cache = environment.config.cache;
    // The index of the cache table comes with the table; of the servers' nobody else takes care.
    if cache.provider != CacheProvider::DynamoDb {
        let bought = cache.embedder.as_ref().map(|embedder| embedder.dimensions as usize);
        vectors
            .set_up(bought.unwrap_or(VECTOR_DIMENSIONS))
            .await
            .map_err(|error| format!("cache.provider {}: {error}", cache.provider))?;
    }
    Ok(Indexer {
        cache,
        embedder: Arc::new(MiniLm::load(&embedder_folder(), 1)?),
        vectors: vectors as _,
        answers: Arc::new(DynamoAnswers::new(clients.clone(), table.clone())),
        precision: Arc::new(DynamoPrecision::new(clients, table)),
        clock: environment.clock,
    })
}
