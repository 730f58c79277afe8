//! Builds the function's needs from its environment.

use std::sync::Arc;

use shared::app::semantic::{Indexer, Invalidator, Lookup};
use shared::app::warm_keys::WarmKeys;
use shared::app::warm_marks::WarmMarks;
use shared::aws::{
    DynamoAnswers, DynamoKeys, DynamoLedger, DynamoMarks, DynamoPrecision, DynamoRollups, DynamoVectors,
    Environment, StartError, embedder_folder, variable,
};
use shared::config::CacheProvider;
use shared::embed::MiniLm;
use shared::log::{self, Sink};
use shared::ports::{AnswerCache, Embedder, MeasurePrecision};

use super::{Cache, Semantic};

/// # Errors
/// [`StartError`]: a function that cannot keep its promises does not start.
pub async fn from_environment() -> Result<Cache, StartError> {
    let environment = Environment::load()?;
    log::init(environment.config.observability.log_level, Sink::Stdout);
    let (clients, table) = (environment.clients.clone(), variable("CACHE_TABLE")?);
    let keys = DynamoKeys::new(clients.clone(), variable("CONTROL_TABLE")?);
    let answers: Arc<dyn AnswerCache> = Arc::new(DynamoAnswers::new(clients.clone(), table.clone()));
    let precision: Arc<dyn MeasurePrecision> = Arc::new(DynamoPrecision::new(clients.clone(), table.clone()));
    let marks = Arc::new(DynamoMarks::new(clients.clone(), table.clone()));
    let marks = Arc::new(WarmMarks::new(marks, Arc::clone(&environment.clock)));
    let embedder: Arc<dyn Embedder> = Arc::new(MiniLm::load(&embedder_folder(), 1)?);
    let cache = environment.config.cache.clone();
    if cache.provider != CacheProvider::DynamoDb {
        return Err(format!("cache.provider: the function does not search {}", cache.provider).into());
    }
    let vectors = Arc::new(DynamoVectors::new(clients.clone(), table));
    let semantic = Semantic {
        lookup: Lookup {
            cache: cache.clone(),
            embedder: Arc::clone(&embedder),
            vectors: vectors.clone(),
            marks: Arc::clone(&marks),
            clock: Arc::clone(&environment.clock),
        },
        indexer: Indexer {
            cache: cache.clone(),
            embedder,
            vectors: vectors.clone(),
            answers: Arc::clone(&answers),
            precision: Arc::clone(&precision),
            clock: Arc::clone(&environment.clock),
        },
        set_up: vectors,
    };
    let lines = DynamoLedger::new(clients.clone(), variable("LEDGER_TABLE")?, variable("BUDGETS_TABLE")?);
    Ok(Cache {
        all_keys: Arc::new(keys.clone()),
        keys: Arc::new(WarmKeys::new(keys, Arc::clone(&environment.clock))),
        pepper: environment.pepper().await?,
        admin_key: environment.secret("ADMIN_KEY").await?,
        answers,
        invalidator: Invalidator { cache, marks, clock: Arc::clone(&environment.clock) },
        lines: Arc::new(lines),
        rollups: Arc::new(DynamoRollups::new(clients, variable("USAGE_TABLE")?)),
        precision,
        semantic: Some(semantic),
        clock: environment.clock,
        config: environment.config,
    })
}
