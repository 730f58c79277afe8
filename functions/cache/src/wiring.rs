//! Builds the function's needs from its environment.

use std::sync::Arc;

use shared::app::semantic::{Indexer, Invalidator, Lookup};
use shared::app::warm_keys::WarmKeys;
use shared::app::warm_marks::WarmMarks;
use shared::aws::{
    DynamoAnswers, DynamoKeys, DynamoLedger, DynamoMarks, DynamoPrecision, DynamoRollups, Environment,
    StartError, embedder_folder, variable,
};
use shared::embed::MiniLm;
use shared::log::{self, Sink};
use shared::ports::{AnswerCache, Embedder, MeasurePrecision};
use shared::vectors::open_deployed;

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
    let vectors = open_deployed(&environment, &table).await?;
    let semantic = Semantic {
        lookup: Lookup {
            cache: cache.clone(),
            embedder: Arc::clone(&embedder),
            vectors: Arc::clone(&vectors) as _,
            marks: Arc::clone(&marks),
            clock: Arc::clone(&environment.clock),
        },
        indexer: Indexer {
            cache: cache.clone(),
            embedder,
            vectors: Arc::clone(&vectors) as _,
            answers: Arc::clone(&answers),
            precision: Arc::clone(&precision),
            clock: Arc::clone(&environment.clock),
        },
        set_up: vectors as _,
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
