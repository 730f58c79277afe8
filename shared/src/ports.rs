//! What the use cases need of the outside, each trait named for the need and granted as one
//! permission. Memory and DynamoDB implement the stores; one contract suite holds both to it.

mod alerts;
mod attempt;
mod audit;
mod keys;
mod observe;
mod semantic;
mod spend;
#[cfg(any(feature = "aws", feature = "memory", feature = "wire"))]
pub(crate) mod vector_rules;

use std::fmt;
use std::ops::Range;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};

use crate::config::{ModelName, SecretRef};
use crate::domain::breaker::Breaker;
use crate::domain::cache::{CacheKey, Labels, QuestionVector};
use crate::domain::counter::{Allowance, Close, Counter, CounterKey, Reserve};
use crate::domain::id::AttemptId;
use crate::domain::idempotency::{Claim, Claimed, State};
use crate::domain::ledger::LedgerLine;
use crate::domain::partition::Partition;
use crate::domain::reservation::Reservation;
use crate::domain::rollup::{Rollup, Summary};
use crate::domain::time::Timestamp;
use crate::protocol::answer::Answer;
use crate::protocol::canonical::{ChatRequest, Chunk};
use crate::protocol::embeddings::{EmbedRequest, Embeddings};
use crate::protocol::outbound::Outbound;

pub use alerts::{AlertPage, AlertQuery, Outbox, RaiseAlert, ReadAlerts, ReadMetrics, SendAlert, Vitals};
pub use attempt::AttemptError;
pub use audit::{AuditLog, AuditPage, AuditQuery};
pub use keys::{FindKey, FindPolicy, ListKeys, ManageKeys, ManagePolicies};
pub use observe::Observe;
pub use semantic::{
    CacheMarks, Embedder, IndexJob, IndexQueue, LookupError, MeasurePrecision, Neighbour, Precision,
    Question, SearchVectors, SemanticLookup, SetUpVectors, VectorRecord, WriteVectors,
};
pub use spend::KeepSpend;

/// A store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// It said no: throttled, forbidden, too large. The write did not happen.
    Rejected(String),
    /// It said nothing: the write may have happened, or may yet.
    NoReply(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Rejected(why) => write!(f, "store rejected the call: {why}"),
            StoreError::NoReply(why) => write!(f, "store did not reply: {why}"),
        }
    }
}

/// What a reserve's one write came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReserveReply {
    /// Admitted; the counter after the write. Open holds of others may be left out of it.
    Held(Counter),
    /// Refused by its condition; the counter as it stood, if there is one.
    Refused(Option<Counter>),
}

/// The counters of budgets and rates.
#[async_trait]
pub trait Counters: Send + Sync {
    /// Applies [`crate::domain::counter::reserve`] as one conditional write, **sent once**: no
    /// layer below may send it again, but where the store said that this copy was not applied.
    async fn reserve(&self, write: &Reserve) -> Result<ReserveReply, StoreError>;
    /// Applies [`crate::domain::counter::allow`]. Safe to repeat and to reorder.
    async fn allow(&self, key: &CounterKey, to: &Allowance) -> Result<(), StoreError>;
    /// A strongly consistent read.
    async fn read(&self, key: &CounterKey) -> Result<Option<Counter>, StoreError>;
    /// Applies [`crate::domain::counter::close`]; closing what is closed is success.
    async fn close(&self, write: &Close) -> Result<(), StoreError>;
    /// Applies [`crate::domain::counter::fence`] as one conditional write. True when `id` can enter
    /// no hold in this counter any more, false when its hold is there. Sending it again is safe.
    async fn fence(&self, key: &CounterKey, id: AttemptId) -> Result<bool, StoreError>;
}

/// Where a listing of counters goes on; its form is the store's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark(pub String);

/// One page of counters that are in use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CounterPage {
    pub counters: Vec<(CounterKey, Counter)>,
    /// None where this was the last page.
    pub next: Option<Mark>,
}

/// Lists the counters that are in use, for the sweep and for alerts.
#[async_trait]
pub trait ListCounters: Send + Sync {
    /// The first page, or the one at `from`, of those that [`Counter::is_in_use`] in the periods that
    /// `now` lies in or in those before. A page may be empty and is eventually consistent: what is
    /// missing shows in a later listing, and what is too much is found closed.
    async fn in_use(&self, now: Timestamp, from: Option<&Mark>) -> Result<CounterPage, StoreError>;
}

/// Notes refusals.
#[async_trait]
pub trait NoteRefusal: Send + Sync {
    /// Applies [`crate::domain::counter::note_refusal`]. Safe to repeat: the first one stays.
    async fn note_refusal(&self, key: &CounterKey, at: Timestamp) -> Result<(), StoreError>;
}

/// What became of a line that was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutLine {
    Inserted,
    /// A line with this id was there before; it stays as it is.
    Existing(Box<LedgerLine>),
}

/// Writes the ledger.
#[async_trait]
pub trait WriteLedger: Send + Sync {
    async fn put(&self, line: &LedgerLine) -> Result<PutLine, StoreError>;
    /// The line of one attempt. A strongly consistent read.
    async fn find(&self, tenant: &str, line: LineMark) -> Result<Option<LedgerLine>, StoreError>;
    /// LATE SETTLE: in one transaction the estimated line becomes `exact` and every counter that
    /// it closed gets its share of the difference back, by
    /// [`crate::domain::settlement::corrections`]; at most 99, DynamoDB's limit less the line. False when the line was no estimate any more,
    /// or a counter still had the hold.
    async fn correct(&self, estimated: &LedgerLine, exact: &LedgerLine) -> Result<bool, StoreError>;
}

/// Reads the ledger.
#[async_trait]
pub trait ReadLedger: Send + Sync {
    /// The lines of one key whose requests came in at or after `since`, in the order of requests,
    /// at most `most` of them. What was written a moment ago may be missing.
    async fn of_key(
        &self,
        key_id: &str,
        since: Timestamp,
        most: usize,
    ) -> Result<Vec<LedgerLine>, StoreError>;
    /// A page of one partition, the first or the one at `from`. A strongly consistent read.
    async fn page(&self, partition: &Partition, from: Option<&LineMark>) -> Result<LinePage, StoreError>;
    /// The lines of one request, by id. A strongly consistent read.
    async fn of_request(&self, tenant: &str, request: AttemptId) -> Result<Vec<LedgerLine>, StoreError>;
}

/// A line of a partition; in this order they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineMark {
    pub request: AttemptId,
    pub id: AttemptId,
}

/// Some lines of a partition, in the order of their marks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinePage {
    pub lines: Vec<LedgerLine>,
    /// None where this was the last page.
    pub next: Option<LineMark>,
}

/// Writes rollups.
#[async_trait]
pub trait WriteRollups: Send + Sync {
    /// Puts a rollup in the place of an older one. One with a greater version stays as it is, which
    /// is success: it saw more.
    async fn put(&self, rollup: &Rollup) -> Result<(), StoreError>;
    /// The same for the summary of a partition.
    async fn put_summary(&self, summary: &Summary) -> Result<(), StoreError>;
    /// Notes that requests up to `at` have been folded. A later note stays.
    async fn note_folded(&self, at: Timestamp) -> Result<(), StoreError>;
}

/// Reads rollups.
#[async_trait]
pub trait ReadRollups: Send + Sync {
    /// The rollups of one key in `hours`, by hour and shard.
    async fn of_key(&self, key_id: &str, hours: Range<i64>) -> Result<Vec<Rollup>, StoreError>;
    /// The summaries of one day, counted from the epoch, by hour, shard and tenant.
    async fn of_day(&self, day: i64) -> Result<Vec<Summary>, StoreError>;
    /// Up to where requests have been folded; none before the first.
    async fn folded(&self) -> Result<Option<Timestamp>, StoreError>;
}

/// An answer as the exact tier keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CachedAnswer {
    pub answer: Answer,
    /// `provider/model` that gave it.
    pub served_by: String,
    /// When the request came in that it answers.
    pub created_at: Timestamp,
    /// What was asked last, as the caller wrote it; for an entry that near questions may find.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// The question's vector, where a provider embeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vector: Option<QuestionVector>,
    /// None where nothing but its time makes it stale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Labels>,
}

/// The exact tier of the cache.
#[async_trait]
pub trait AnswerCache: Send + Sync {
    async fn get(&self, key: &CacheKey) -> Result<Option<CachedAnswer>, StoreError>;
    /// The store may delete the entry some time after `expires`; readers compare for themselves.
    async fn put(&self, key: &CacheKey, entry: &CachedAnswer, expires: Timestamp) -> Result<(), StoreError>;
}

/// Claims of idempotency keys. A reply is a document whose form is the use case's own.
#[async_trait]
pub trait Idempotency: Send + Sync {
    /// Applies [`crate::domain::idempotency::is_free`] as one conditional write. Sending it again
    /// is safe: a claim recognises itself.
    async fn claim(&self, claim: &Claim, now: Timestamp) -> Result<Claimed<String>, StoreError>;
    /// Ends the claim, if it still stands; what came of it is kept until the claim expires.
    async fn conclude(&self, claim: &Claim, outcome: &State<String>) -> Result<(), StoreError>;
}

/// A breaker and the version it was read at; zero where there is none yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versioned {
    pub breaker: Breaker,
    pub version: u64,
}

/// The fleet's breakers, changed by compare-and-swap.
#[async_trait]
pub trait BreakerStore: Send + Sync {
    async fn read(&self, target: &str) -> Result<Versioned, StoreError>;
    /// False when somebody else changed it since `version`.
    async fn swap(&self, target: &str, version: u64, next: &Breaker) -> Result<bool, StoreError>;
}

/// Takes settlements that could not be finished in time.
#[async_trait]
pub trait SettleQueue: Send + Sync {
    async fn send(&self, line: &LedgerLine) -> Result<(), StoreError>;
}

/// Reads secrets by reference.
#[async_trait]
pub trait FindSecret: Send + Sync {
    /// The secret as it is now; the text of an error names the reference, never the secret.
    async fn find_secret(&self, reference: &SecretRef) -> Result<String, String>;
}

/// The time of day. Read at the edge of the program only.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

/// Where ids and jitter come from.
pub trait Randomness: Send + Sync {
    /// Fills `bytes` with what nobody can guess and nothing repeats.
    fn fill(&self, bytes: &mut [u8]);
}

/// The canonical stream of one attempt. It ends after the provider's own end mark or when the
/// body ends; whether the answer was complete is for the reader to judge.
pub type ChunkStream = BoxStream<'static, Result<Chunk, AttemptError>>;

/// Providers of embedding models.
#[async_trait]
pub trait EmbedText: Send + Sync {
    /// Embeds every input with the model that `paid` holds money for.
    async fn embed(&self, paid: &Reservation, request: &EmbedRequest) -> Result<Embeddings, AttemptError>;
}

/// Providers that count the tokens of a request, which they do not bill.
#[async_trait]
pub trait CountTokens: Send + Sync {
    async fn count(&self, target: &ModelName, request: &ChatRequest) -> Result<u64, AttemptError>;
}

/// Providers of models.
#[async_trait]
pub trait Upstream: Send + Sync {
    /// Sends the request to the model that `paid` holds money for, with the output limit it was
    /// computed with, and returns once the headers of a success are in.
    async fn open(&self, paid: &Reservation, request: &ChatRequest) -> Result<ChunkStream, AttemptError>;
    /// How this target is asked; none when it cannot be called at all, because its provider is not
    /// configured or has no secret.
    fn outbound(&self, target: &ModelName) -> Option<Outbound>;
}
