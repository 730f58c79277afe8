//! Builds the application from the function's environment.

use std::sync::Arc;
use std::time::Duration;

use shared::app::breakers::Breakers;
use shared::app::random::OsRandomness;
use shared::app::warm_keys::WarmKeys;
use shared::app::warm_marks::WarmMarks;
use shared::app::warm_policies::WarmPolicies;
use shared::app::{App, SemanticTier, Tuning, supported};
use shared::aws::{
    DynamoAnswers, DynamoBreakers, DynamoCounters, DynamoIdempotency, DynamoKeys, DynamoLedger, DynamoMarks,
    DynamoPolicies, Environment, LambdaLookup, LiveSecrets, Patience, SqsIndexQueue, SqsSettleQueue,
    StartError, sqs_client, variable,
};
use shared::config::{ProviderConfig, known_providers};
use shared::domain::breaker::BreakerSettings;
use shared::log::{self, Sink};
use shared::providers::{Providers, Surroundings};

/// The longest that connections may hold up the start.
const WARM_UP: Duration = Duration::from_millis(500);

/// Reads configuration, prices and secrets, and builds every client once.
///
/// # Errors
/// [`StartError`]: a function that cannot keep its promises does not start.
pub async fn from_environment() -> Result<Arc<App>, StartError> {
    let environment = Environment::load()?;
    log::init(environment.config.observability.log_level, Sink::Stdout);
    supported(&environment.config)?;
    let providers = providers(&environment).await;
    let (clients, clock) = (environment.clients.clone(), Arc::clone(&environment.clock));
    let (control, budgets) = (variable("CONTROL_TABLE")?, variable("BUDGETS_TABLE")?);
    let keys = DynamoKeys::new(clients.clone(), control.clone());
    let policies = DynamoPolicies::new(clients.clone(), control.clone());
    let queue = sqs_client(&environment.aws, &environment.http, Patience::default());
    let lookup = Arc::new(LambdaLookup::new(
        environment.client.clone(),
        environment.aws.clone(),
        variable("CACHE_FUNCTION")?,
        Arc::clone(&clock),
    ));
    let counters = Arc::new(DynamoCounters::new(clients.clone(), budgets.clone()));
    let jobs = SqsIndexQueue::new(queue.clone(), variable("INDEX_QUEUE_URL")?);
    let breaker = &environment.config.routing.circuit_breaker;
    let settings = BreakerSettings {
        threshold: breaker.threshold,
        reset: Duration::from_millis(breaker.reset_timeout_ms),
    };
    let surroundings = Surroundings {
        secrets: Arc::new(LiveSecrets { secrets: environment.secrets.clone(), clock: Arc::clone(&clock) }),
        account: Some((&environment.aws).into()),
        clock: Arc::clone(&clock),
    };
    let upstream = Providers::new(providers, &surroundings)?;
    let app = App {
        prices: (&environment.prices()?).into(),
        pepper: environment.pepper().await?,
        tuning: Tuning::default(),
        keys: Arc::new(WarmKeys::new(keys, Arc::clone(&clock))),
        policies: Arc::new(WarmPolicies::new(policies, Arc::clone(&clock))),
        marks: Arc::new(WarmMarks::new(
            Arc::new(DynamoMarks::new(clients.clone(), variable("CACHE_TABLE")?)),
            Arc::clone(&clock),
        )),
        semantic: Some(SemanticTier { lookup: lookup.clone(), jobs: Arc::new(jobs) })
            .filter(|_| environment.config.cache.searches()),
        clock,
        randomness: Arc::new(OsRandomness),
        counters: counters.clone(),
        refusals: counters,
        ledger: Arc::new(DynamoLedger::new(clients.clone(), variable("LEDGER_TABLE")?, budgets)),
        answers: Arc::new(DynamoAnswers::new(clients.clone(), variable("CACHE_TABLE")?)),
        idempotency: Arc::new(DynamoIdempotency::new(clients.clone(), variable("CACHE_TABLE")?)),
        breakers: Breakers::new(Arc::new(DynamoBreakers::new(clients, control)), settings),
        settle_queue: Arc::new(SqsSettleQueue::new(queue, variable("SETTLE_QUEUE_URL")?)),
        upstream: Arc::new(upstream.clone()),
        embedder: Arc::new(upstream.clone()),
        counter: Arc::new(upstream.clone()),
        config: environment.config,
    };
    warm(&app, &upstream, &lookup).await;
    Ok(Arc::new(app))
}

/// Opens the connections that the first request needs. The function has a full core while it
/// starts, so the handshakes are cheaper here; what is not there in time is opened later.
async fn warm(app: &App, upstream: &Providers, lookup: &LambdaLookup) {
    let chain = || app.config.routing.chain();
    let store = app.breakers.refresh(chain(), app.clock.now());
    let providers = upstream.warm(chain().map(|model| model.provider()));
    let lookup = async {
        if app.semantic.is_some() {
            lookup.warm().await;
        }
    };
    let _ = tokio::time::timeout(WARM_UP, async { tokio::join!(store, providers, lookup) }).await;
}

/// Every provider with its secret. One whose secret cannot be read is passed over by routing.
async fn providers(environment: &Environment) -> Vec<(ProviderConfig, Option<String>)> {
    let mut names: Vec<&str> = known_providers().collect();
    names.extend(environment.config.providers.keys().map(String::as_str));
    names.sort_unstable();
    names.dedup();
    let now = environment.clock.now();
    let mut found = Vec::new();
    for provider in names.into_iter().filter_map(|name| environment.config.provider(name)) {
        let secret = match &provider.secret {
            None => None,
            Some(reference) => match environment.secrets.resolve(reference, now).await {
                Ok(secret) => Some(secret),
                Err(error) => {
                    tracing::info!(provider = provider.name, %error, "provider is left out");
                    None
                }
            },
        };
        found.push((provider, secret));
    }
    found
}
