//! The stores under test, each empty and of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::UNIX_EPOCH;

use local::embedded::{Embedded, create_tables};
use shared::aws::{
    AwsConfig, Clients, DynamoAlerts, DynamoAnswers, DynamoAuditLog, DynamoBreakers, DynamoCounterList,
    DynamoCounters, DynamoIdempotency, DynamoKeys, DynamoLedger, DynamoMarks, DynamoPolicies,
    DynamoPrecision, DynamoRollups, SharedHttpClient, Tables, http_client,
};
use shared::client::{Reach, client};
use shared::memory::MemoryStore;
use shared::ports::{
    AnswerCache, AuditLog, BreakerStore, CacheMarks, Counters, FindKey, FindPolicy, Idempotency,
    ListCounters, ManageKeys, ManagePolicies, MeasurePrecision, NoteRefusal, Outbox, ReadLedger, ReadRollups,
    WriteLedger, WriteRollups,
};

/// Every store port, and what is behind it.
pub(super) struct Stores {
    pub(super) find_key: Arc<dyn FindKey>,
    pub(super) manage_keys: Arc<dyn ManageKeys>,
    pub(super) find_policy: Arc<dyn FindPolicy>,
    pub(super) manage_policies: Arc<dyn ManagePolicies>,
    pub(super) audit: Arc<dyn AuditLog>,
    pub(super) counters: Arc<dyn Counters>,
    /// On DynamoDB in pages of three items.
    pub(super) counters_in_use: Arc<dyn ListCounters>,
    pub(super) refusals: Arc<dyn NoteRefusal>,
    pub(super) outbox: Arc<dyn Outbox>,
    pub(super) write_ledger: Arc<dyn WriteLedger>,
    pub(super) read_ledger: Arc<dyn ReadLedger>,
    pub(super) write_rollups: Arc<dyn WriteRollups>,
    pub(super) read_rollups: Arc<dyn ReadRollups>,
    pub(super) answers: Arc<dyn AnswerCache>,
    pub(super) marks: Arc<dyn CacheMarks>,
    pub(super) precision: Arc<dyn MeasurePrecision>,
    pub(super) idempotency: Arc<dyn Idempotency>,
    pub(super) breakers: Arc<dyn BreakerStore>,
    behind: Behind,
}

#[derive(Clone)]
enum Behind {
    Memory(Arc<MemoryStore>),
    Dynamo(Box<Dynamo>),
}

/// A DynamoDB, the tables in it, and the way there.
#[derive(Clone)]
pub(super) struct Dynamo {
    pub(super) http: SharedHttpClient,
    pub(super) aws: AwsConfig,
    pub(super) tables: Tables,
    _file: Option<Arc<Scratch>>,
}

/// A directory that goes with its test.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left behind lies in the system's own temporary directory.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) async fn memory() -> Option<Stores> {
    Some(Stores::over(Behind::Memory(Arc::default())))
}

pub(super) async fn embedded() -> Option<Stores> {
    let embedded = Embedded::open(None).await.expect("a database in memory");
    Some(Stores::embedded(&embedded, None))
}

pub(super) async fn embedded_file() -> Option<Stores> {
    let scratch = Scratch(std::env::temp_dir().join(unique("tollgate")));
    let embedded = Embedded::open(Some(&scratch.0.join("store.db"))).await.expect("a database in a file");
    Some(Stores::embedded(&embedded, Some(Arc::new(scratch))))
}

/// None where no DynamoDB Local runs.
pub(super) async fn dynamodb_local() -> Option<Stores> {
    let url = std::env::var("TOLLGATE_DYNAMODB_LOCAL").ok()?;
    let aws = AwsConfig { endpoint: Some(url), ..Embedded::config() };
    let http = http_client(client(Reach::Any).expect("an HTTP client"));
    let name = |table: &str| unique(table);
    let tables = Tables {
        control: name("control"),
        budgets: name("budgets"),
        ledger: name("ledger"),
        cache: name("cache"),
        usage: name("usage"),
    };
    let clients = Clients::new(&aws, &http, Embedded::patience());
    create_tables(clients.dynamodb(), &tables).await.expect("tables");
    Some(Stores::over(Behind::Dynamo(Box::new(Dynamo { http, aws, tables, _file: None }))))
}

impl Stores {
    fn embedded(embedded: &Embedded, file: Option<Arc<Scratch>>) -> Self {
        let http = embedded.http_client().clone();
        let (aws, tables) = (Embedded::config(), Embedded::tables());
        Stores::over(Behind::Dynamo(Box::new(Dynamo { http, aws, tables, _file: file })))
    }

    fn over(behind: Behind) -> Self {
        match &behind {
            Behind::Memory(store) => Stores {
                find_key: store.clone(),
                manage_keys: store.clone(),
                find_policy: store.clone(),
                manage_policies: store.clone(),
                audit: store.clone(),
                counters: store.clone(),
                counters_in_use: store.clone(),
                refusals: store.clone(),
                outbox: store.clone(),
                write_ledger: store.clone(),
                read_ledger: store.clone(),
                write_rollups: store.clone(),
                read_rollups: store.clone(),
                answers: store.clone(),
                marks: store.clone(),
                precision: store.clone(),
                idempotency: store.clone(),
                breakers: store.clone(),
                behind,
            },
            Behind::Dynamo(dynamo) => {
                let (clients, tables) = (dynamo.clients(), dynamo.tables.clone());
                let keys = Arc::new(DynamoKeys::new(clients.clone(), tables.control.clone()));
                let policies = Arc::new(DynamoPolicies::new(clients.clone(), tables.control.clone()));
                let ledger = DynamoLedger::new(clients.clone(), tables.ledger, tables.budgets.clone());
                let ledger = Arc::new(ledger);
                let outbox = DynamoAlerts::new(clients.clone(), tables.usage.clone());
                let rollups = Arc::new(DynamoRollups::new(clients.clone(), tables.usage));
                let counters = Arc::new(DynamoCounters::new(clients.clone(), tables.budgets.clone()));
                let in_use = DynamoCounterList::new(clients.clone(), tables.budgets.clone(), 3);
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
                    idempotency: Arc::new(DynamoIdempotency::new(clients.clone(), tables.cache)),
                    breakers: Arc::new(DynamoBreakers::new(clients, tables.control)),
                    behind,
                }
            }
        }
    }

    /// The same data through adapters of another instance.
    pub(super) fn elsewhere(&self) -> Stores {
        Stores::over(self.behind.clone())
    }

    /// The DynamoDB behind, if it is one.
    pub(super) fn dynamo(&self) -> Option<&Dynamo> {
        match &self.behind {
            Behind::Memory(_) => None,
            Behind::Dynamo(dynamo) => Some(dynamo),
        }
    }
}

impl Dynamo {
    pub(super) fn clients(&self) -> Clients {
        Clients::new(&self.aws, &self.http, Embedded::patience())
    }

    /// The same data through another HTTP client.
    pub(super) fn through(&self, http: SharedHttpClient) -> Stores {
        Stores::over(Behind::Dynamo(Box::new(Dynamo { http, ..self.clone() })))
    }
}

/// A name nobody else uses, now or in another process.
pub(super) fn unique(prefix: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let nanos = UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_nanos());
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}-{}-{nanos}-{count}", std::process::id())
}
