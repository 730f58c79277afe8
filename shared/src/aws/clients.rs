//! The SDK's clients. Writes that may be repeated use the patient one; a reserve may not, and uses
//! the one that sends once.

use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{Region, StalledStreamProtectionConfig};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::AwsConfig;

/// How long a call to a store may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// One of up to three attempts.
    pub attempt: Duration,
    /// All attempts together.
    pub operation: Duration,
    /// The only attempt of a call that is sent once.
    pub once: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience {
            attempt: Duration::from_millis(500),
            operation: Duration::from_millis(1500),
            once: Duration::from_millis(1000),
        }
    }
}

/// The two DynamoDB clients, over one HTTP client.
#[derive(Clone, Debug)]
pub struct Clients {
    pub(super) patient: aws_sdk_dynamodb::Client,
    /// Retries off: what it sends, it sends once. The HTTP client below speaks HTTP/1.1 and
    /// repeats only what it never wrote to a socket.
    pub(super) once: aws_sdk_dynamodb::Client,
}

impl Clients {
    pub fn new(aws: &AwsConfig, http: &SharedHttpClient, patience: Patience) -> Self {
        let patient = TimeoutConfig::builder()
            .operation_attempt_timeout(patience.attempt)
            .operation_timeout(patience.operation)
            .build();
        let once = TimeoutConfig::builder().operation_attempt_timeout(patience.once).build();
        Clients {
            patient: dynamodb(aws, http, retries(), patient),
            once: dynamodb(aws, http, RetryConfig::disabled(), once),
        }
    }

    /// The client that retries, for setting tables up and for looking at them.
    pub fn dynamodb(&self) -> &aws_sdk_dynamodb::Client {
        &self.patient
    }
}

/// The first backoff is random below 50 ms: a settlement has 300 ms in all.
fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(50))
}

/// The SDK's configurations have the same parts, and no trait in common.
macro_rules! client {
    ($sdk:ident, $aws:expr, $http:expr, $retries:expr, $timeouts:expr) => {{
        let mut config = $sdk::Config::builder()
            .behavior_version(AwsConfig::behavior())
            .region(Region::new($aws.region.clone()))
            .credentials_provider($aws.credentials.clone())
            .http_client($http.clone())
            .retry_config($retries)
            .timeout_config($timeouts)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        config.set_endpoint_url($aws.endpoint.clone());
        $sdk::Client::from_conf(config.build())
    }};
}

fn dynamodb(
    aws: &AwsConfig,
    http: &SharedHttpClient,
    retries: RetryConfig,
    timeouts: TimeoutConfig,
) -> aws_sdk_dynamodb::Client {
    client!(aws_sdk_dynamodb, aws, http, retries, timeouts)
}

/// The client of the queues.
pub fn sqs_client(aws: &AwsConfig, http: &SharedHttpClient, patience: Patience) -> aws_sdk_sqs::Client {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(patience.attempt)
        .operation_timeout(patience.operation)
        .build();
    client!(aws_sdk_sqs, aws, http, retries(), timeouts)
}

/// The client of the metrics.
#[cfg(feature = "cloudwatch")]
pub(super) fn cloudwatch_client(aws: &AwsConfig, http: &SharedHttpClient) -> aws_sdk_cloudwatch::Client {
    // Nobody waits for them but the next minute.
    let timeouts = TimeoutConfig::builder().operation_timeout(Duration::from_secs(3)).build();
    client!(aws_sdk_cloudwatch, aws, http, retries(), timeouts)
}
