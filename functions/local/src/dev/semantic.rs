//! The semantic tier inside one process: what the functions `cache` and `indexer` are in AWS.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use cache::{Cache, Semantic};
use shared::app::SemanticTier;
use shared::app::semantic::{Indexer, Invalidator, Lookup, look_up};
use shared::app::warm_marks::WarmMarks;
use shared::config::Config;
use shared::domain::verdict::Finding;
use shared::embed::MiniLm;
use shared::ports::{Clock, Embedder, ListKeys, LookupError, Question, SemanticLookup};
use shared::vectors::VectorStore;

use super::files::Secrets;
use super::gateway::Stores;
use super::queue;
use super::remembered::Remembered;

const DEFAULT_EMBEDDER: &str = ".tools/models/all-minilm-l6-v2";

/// What near questions are searched with.
pub struct Tier {
    pub embedder: Arc<dyn Embedder>,
    pub vectors: Arc<dyn VectorStore>,
}

/// The embedder in `folder`, or in the one that set-up fills, if it did.
///
/// # Errors
/// When it is there and cannot be read.
pub(super) fn embedder(folder: Option<&Path>) -> Result<Option<Arc<dyn Embedder>>, String> {
    let default = || Some(Path::new(DEFAULT_EMBEDDER)).filter(|folder| folder.is_dir());
    let Some(folder) = folder.or_else(default) else { return Ok(None) };
    let loaded =
        MiniLm::load_prepacked(folder, 1).map_err(|why| format!("the embedder cannot be loaded: {why}"))?;
    Ok(Some(Arc::new(Remembered::new(loaded))))
}

/// The `cache` function, and what `chat` sees of it. Starts the indexer.
pub(super) fn wire(
    config: &Config,
    stores: &Stores,
    marks: &Arc<WarmMarks>,
    secrets: &Secrets,
    clock: &Arc<dyn Clock>,
    tier: Option<Tier>,
) -> (Arc<Cache>, Option<SemanticTier>) {
    let indexer = |tier: &Tier| Indexer {
        cache: config.cache.clone(),
        embedder: Arc::clone(&tier.embedder),
        vectors: Arc::clone(&tier.vectors) as _,
        answers: Arc::clone(&stores.answers),
        precision: Arc::clone(&stores.precision),
        clock: Arc::clone(clock),
    };
    let jobs = tier.as_ref().map(|tier| {
        let (jobs, messages) = queue::queue();
        tokio::spawn(queue::index(Arc::new(indexer(tier)), messages));
        jobs
    });
    let semantic = tier.map(|tier| Semantic {
        indexer: indexer(&tier),
        lookup: Lookup {
            cache: config.cache.clone(),
            embedder: tier.embedder,
            vectors: Arc::clone(&tier.vectors) as _,
            marks: Arc::clone(marks),
            clock: Arc::clone(clock),
        },
        set_up: tier.vectors as _,
    });
    let cache = Arc::new(Cache {
        config: config.clone(),
        keys: Arc::clone(&stores.find_key),
        all_keys: Arc::clone(&stores.manage_keys) as Arc<dyn ListKeys>,
        pepper: secrets.pepper.clone(),
        admin_key: secrets.admin_key.clone(),
        clock: Arc::clone(clock),
        answers: Arc::clone(&stores.answers),
        invalidator: Invalidator {
            cache: config.cache.clone(),
            marks: Arc::clone(marks),
            clock: Arc::clone(clock),
        },
        lines: Arc::clone(&stores.read_ledger),
        rollups: Arc::clone(&stores.read_rollups),
        precision: Arc::clone(&stores.precision),
        semantic,
    });
    let lookup = Arc::new(InProcess(Arc::clone(&cache)));
    (cache, jobs.map(|jobs| SemanticTier { lookup, jobs: Arc::new(jobs) }))
}

/// The function without the invocation.
struct InProcess(Arc<Cache>);

#[async_trait]
impl SemanticLookup for InProcess {
    async fn look_up(&self, question: &Question) -> Result<Finding, LookupError> {
        let off = || LookupError::Failed("there is no embedder".to_owned());
        look_up(&self.0.semantic.as_ref().ok_or_else(off)?.lookup, question).await
    }
}
