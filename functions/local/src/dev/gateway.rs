//! Every function of the gateway, wired to stores of this process.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use admin::{Files, Office};
use cache::Cache;
use shared::app::breakers::Breakers;
use shared::app::random::OsRandomness;
use shared::app::warm_keys::WarmKeys;
use shared::app::warm_marks::WarmMarks;
use shared::app::warm_policies::WarmPolicies;
use shared::app::{App, Tuning};
use shared::aws::{
    AwsConfig, Clients, DynamoAlerts, DynamoAnswers, DynamoAuditLog, DynamoBreakers, DynamoCounterList,
    DynamoCounters, DynamoIdempotency, DynamoKeys, DynamoLedger, DynamoMarks, DynamoPolicies,
    DynamoPrecision, DynamoRollups, DynamoSpend, DynamoVectors, Patience, Tables, http_client,
};
use shared::client::{Reach, client};
use shared::clock::SystemClock;
use shared::config::Prices;
use shared::domain::breaker::BreakerSettings;
use shared::memory::MemoryStore;
use shared::ports::{
    AnswerCache, AuditLog, BreakerStore, CacheMarks, Clock, Counters, FindKey, FindPolicy, Idempotency,
    KeepSpend, ListCounters, ManageKeys, ManagePolicies, MeasurePrecision, NoteRefusal, Outbox, ReadLedger,
    ReadRollups, WriteLedger, WriteRollups,
};
use shared::providers::{Providers, Surroundings};
use shared::signing::Account;
use usage::Usage;

use super::files::Secrets;
use super::providers::{EnvironmentSecrets, Provided};
use super::rollups::{self, Watched};
use super::semantic::{self, Tier};
use super::{parts, queue, schedule, telemetry};
use crate::embedded::{Embedded, create_tables};

/// The stores a gateway runs on.
pub struct Stores {
    pub find_key: Arc<dyn FindKey>,
    pub manage_keys: Arc<dyn ManageKeys>,
    pub find_policy: Arc<dyn FindPolicy>,
    pub manage_policies: Arc<dyn ManagePolicies>,
    pub audit: Arc<dyn AuditLog>,
    pub counters: Arc<dyn Counters>,
    pub refusals: Arc<dyn NoteRefusal>,
    pub outbox: Arc<dyn Outbox>,
    pub counters_in_use: Arc<dyn ListCounters>,
    pub write_ledger: Arc<dyn WriteLedger>,
    pub read_ledger: Arc<dyn ReadLedger>,
    pub write_rollups: Arc<dyn WriteRollups>,
    pub read_rollups: Arc<dyn ReadRollups>,
    pub answers: Arc<dyn AnswerCache>,
    pub marks: Arc<dyn CacheMarks>,
    pub precision: Arc<dyn MeasurePrecision>,
    /// The vectors that the cache table holds; none where there is no such table.
    pub vectors: Option<DynamoVectors>,
    pub idempotency: Arc<dyn Idempotency>,
    pub breakers: Arc<dyn BreakerStore>,
    pub spend: Arc<dyn KeepSpend>,
}

impl Stores {
    /// Everything in memory.
    pub fn memory() -> Self {
        let store = Arc::new(MemoryStore::default());
        let keys = Arc::new(WarmKeys::new(Arc::clone(&store), Arc::new(SystemClock)));
        Stores {
            find_key: keys.clone(),
            manage_keys: keys,
            find_policy: store.clone(),
            manage_policies: store.clone(),
            audit: store.clone(),
            counters: store.clone(),
            refusals: store.clone(),
            outbox: store.clone(),
            counters_in_use: store.clone(),
            write_ledger: store.clone(),
            read_ledger: store.clone(),
            write_rollups: store.clone(),
            read_rollups: store.clone(),
            answers: store.clone(),
            marks: store.clone(),
            precision: store.clone(),
            vectors: None,
            idempotency: store.clone(),
            breakers: store.clone(),
            spend: store,
        }
    }

    /// An embedded DynamoDB in `data`, behind the adapter that runs in AWS.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn embedded(data: &Path) -> Result<Self, String> {
        let clients = Embedded::open(Some(&data.join("tollgate.db"))).await?.clients();
        Ok(Stores::dynamodb(&clients, Embedded::tables()))
    }

    /// The DynamoDB Local at `url`, with the tables that it lacks, and with the patience of the
    /// deployed functions.
    ///
    /// # Errors
    /// When it does not answer, or refuses a table.
    pub async fn dynamodb_local(url: &str) -> Result<Self, String> {
        let aws = AwsConfig { endpoint: Some(url.to_owned()), ..Embedded::config() };
        let http = http_client(client(Reach::Any).map_err(|error| error.to_string())?);
        // Its first calls are slow: it has only just begun to compile itself.
        let patient = Clients::new(&aws, &http, Embedded::patience());
        create_tables(patient.dynamodb(), &Embedded::tables()).await?;
        let clients = Clients::new(&aws, &http, Patience::default());
        Ok(Stores::dynamodb(&clients, Embedded::tables()))
    }

    /// Any DynamoDB that has the tables.
    pub fn dynamodb(clients: &Clients, tables: Tables) -> Self {
        let keys = DynamoKeys::new(clients.clone(), tables.control.clone());
        let keys = Arc::new(WarmKeys::new(keys, Arc::new(SystemClock)));
        let policies = DynamoPolicies::new(clients.clone(), tables.control.clone());
        let policies = Arc::new(WarmPolicies::new(policies, Arc::new(SystemClock)));
        let ledger = Arc::new(DynamoLedger::new(clients.clone(), tables.ledger, tables.budgets.clone()));
        let outbox = DynamoAlerts::new(clients.clone(), tables.usage.clone());
        let rollups = Arc::new(DynamoRollups::new(clients.clone(), tables.usage.clone()));
        let counters = Arc::new(DynamoCounters::new(clients.clone(), tables.budgets.clone()));
        let page = DynamoCounterList::PAGE;
        let in_use = DynamoCounterList::new(clients.clone(), tables.budgets.clone(), page);
        Stores {
            find_key: keys.clone(),
            manage_keys: keys,
            find_policy: policies.clone(),
            manage_policies: policies,
            audit: Arc::new(DynamoAuditLog::new(clients.clone(), tables.control.clone())),
            counters: counters.clone(),
            refusals: counters,
            outbox: Arc::new(outbox),
            counters_in_use: Arc::new(in_use),
            write_ledger: ledger.clone(),
            read_ledger: ledger,
            write_rollups: rollups.clone(),
            read_rollups: rollups,
            answers: Arc::new(DynamoAnswers::new(clients.clone(), tables.cache.clone())),
            marks: Arc::new(DynamoMarks::new(clients.clone(), tables.cache.clone())),
            precision: Arc::new(DynamoPrecision::new(clients.clone(), tables.cache.clone())),
            vectors: Some(DynamoVectors::new(clients.clone(), tables.cache.clone())),
            idempotency: Arc::new(DynamoIdempotency::new(clients.clone(), tables.cache)),
            breakers: Arc::new(DynamoBreakers::new(clients.clone(), tables.control)),
            spend: Arc::new(DynamoSpend::new(clients.clone(), tables.usage)),
        }
    }
}

/// On a laptop secrets stand in the environment, and so do credentials of AWS where there are any.
pub(super) fn surroundings(clock: &Arc<dyn Clock>) -> Surroundings {
    // A Bedrock provider may name its region itself, so credentials alone are enough.
    let variable = |name: &str| match (name, std::env::var(name).ok()) {
        ("AWS_DEFAULT_REGION", None) => Some("us-east-1".to_owned()),
        (_, value) => value,
    };
    let account = AwsConfig::from_lookup(variable).ok();
    Surroundings {
        secrets: Arc::new(EnvironmentSecrets),
        account: account.as_ref().map(Account::from),
        clock: Arc::clone(clock),
    }
}

/// The functions.
pub struct Gateway {
    pub app: Arc<App>,
    pub office: Arc<Office>,
    pub usage: Arc<Usage>,
    pub cache: Arc<Cache>,
}

impl Gateway {
    /// Wires everything and starts what works in the background: the consumers of the queues and
    /// that of the ledger's changes, and the sweep.
    ///
    /// # Errors
    /// When the configuration asks for what this version cannot keep, or the HTTP client fails.
    pub fn new(
        provided: Provided,
        prices: Prices,
        stores: Stores,
        secrets: &Secrets,
        tier: Option<Tier>,
        files: Files,
    ) -> Result<Self, String> {
        let config = provided.config;
        shared::app::supported(&config)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let breaker = &config.routing.circuit_breaker;
        let settings = BreakerSettings {
            threshold: breaker.threshold,
            reset: Duration::from_millis(breaker.reset_timeout_ms),
        };
        let upstream =
            Providers::new(provided.providers, &surroundings(&clock)).map_err(|error| error.to_string())?;
        let marks = Arc::new(WarmMarks::new(Arc::clone(&stores.marks), Arc::clone(&clock)));
        let (cache, semantic) = semantic::wire(&config, &stores, &marks, secrets, &clock, tier);
        let (settle_queue, messages) = queue::queue();
        let (ledger, changes) = Watched::new(Arc::clone(&stores.write_ledger));
        let ledger: Arc<dyn WriteLedger> = Arc::new(ledger);
        let usage = Arc::new(parts::usage(&config, &stores, secrets, &ledger, &clock));
        tokio::spawn(queue::consume(Arc::clone(&usage), messages));
        tokio::spawn(rollups::keep(Arc::clone(&usage), changes));
        let (observer, recorder) = telemetry::start(&config)?;
        let alerts = parts::alerts(&config, &stores, recorder, &ledger, &clock)?;
        tokio::spawn(schedule::every_minute(alerts));
        let office = parts::office(&config, &stores, secrets, files, &clock);
        let app = App {
            config,
            prices: (&prices).into(),
            pepper: secrets.pepper.clone(),
            tuning: Tuning::default(),
            marks,
            semantic,
            clock,
            randomness: Arc::new(OsRandomness),
            keys: stores.find_key,
            policies: stores.find_policy,
            counters: stores.counters,
            refusals: stores.refusals,
            ledger,
            answers: stores.answers,
            idempotency: stores.idempotency,
            breakers: Breakers::new(stores.breakers, settings),
            settle_queue: Arc::new(settle_queue),
            upstream: Arc::new(upstream.clone()),
            embedder: Arc::new(upstream.clone()),
            counter: Arc::new(upstream),
            observer,
        };
        app.check()?;
        Ok(Gateway { app: Arc::new(app), office: Arc::new(office), usage, cache })
    }
}
