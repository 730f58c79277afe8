//! The ports over AWS: DynamoDB for keys, counters, ledger, rollups, answers, vectors, marks, breakers, alerts and
//! audit, SQS for late settlements and index jobs, Lambda for semantic lookups, CloudWatch for how the gateway has
//! been, Secrets Manager for secrets.
//!
//! Contents: [`AwsConfig`] says who and where; [`http_client`] lets the SDK use our one HTTP
//! client; [`Clients`] are the two DynamoDB clients, one that retries and one that never does;
//! then one adapter for each port, each over one table, so that a function builds only what its
//! role may touch.

mod alerts;
mod answers;
mod audit;
mod breakers;
mod change;
mod clients;
mod config;
mod conflict;
mod connector;
mod counter_item;
mod counter_list;
mod counter_writes;
mod counters;
mod environment;
mod errors;
mod expression;
mod idempotency;
mod item;
mod keys;
mod ledger;
mod lookup;
mod marks;
#[cfg(feature = "cloudwatch")]
mod metrics;
mod policies;
mod precision;
mod queue;
mod read;
mod rollups;
mod secrets;
mod spend;
mod vector_index;
mod vector_scan;
mod vectors;

pub use alerts::DynamoAlerts;
pub use answers::DynamoAnswers;
pub use audit::DynamoAuditLog;
pub use aws_smithy_runtime_api::client::http::SharedHttpClient;
pub use breakers::DynamoBreakers;
pub use clients::{Clients, Patience, sqs_client};
pub use config::{AwsConfig, ConfigError};
pub use connector::http_client;
pub use counter_list::DynamoCounterList;
pub use counters::DynamoCounters;
pub use environment::{Environment, StartError, embedder_folder, variable};
pub use idempotency::DynamoIdempotency;
pub use keys::DynamoKeys;
pub use ledger::{DynamoLedger, KEY_INDEX};
pub use lookup::LambdaLookup;
pub use marks::DynamoMarks;
#[cfg(feature = "cloudwatch")]
pub use metrics::CloudMetrics;
pub use policies::DynamoPolicies;
pub use precision::DynamoPrecision;
pub use queue::{SqsIndexQueue, SqsSettleQueue};
pub use rollups::DynamoRollups;
pub use secrets::{LiveSecrets, SecretError, Secrets};
pub use spend::DynamoSpend;
pub use vector_index::{VECTOR_DIMENSIONS, VECTOR_INDEX, vector_index, vector_partition};
pub use vectors::DynamoVectors;

/// The names of the tables. Each has the string keys `pk` (hash) and `sk` (range).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tables {
    pub control: String,
    pub budgets: String,
    pub ledger: String,
    pub cache: String,
    pub usage: String,
}
