//! How the gateway has been: two of its metrics by one call of CloudWatch, and the lengths of the queues of
//! dead letters.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Metric, MetricDataQuery, MetricDataResult, MetricStat};
use aws_sdk_sqs::types::QueueAttributeName;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use futures_util::future::try_join_all;

use super::AwsConfig;
use super::clients::{Patience, cloudwatch_client, sqs_client};
use super::errors::store_error;
use crate::domain::time::Timestamp;
use crate::ports::{ReadMetrics, StoreError, Vitals};

const NAMESPACE: &str = "Tollgate";
/// What is asked for: name in the answer, metric, statistic.
const ASKED: [(&str, &str, &str); 4] = [
    ("duration", "tollgate.gateway.duration", "p95"),
    ("fallback", "fallback.trigger_rate", "Average"),
    ("requests", "tollgate.gateway.duration", "SampleCount"),
    ("could", "fallback.trigger_rate", "SampleCount"),
];
/// CloudWatch charges for each metric that is read, so the minutes of a block are read together.
const BLOCK: Duration = Vitals::WINDOW;
/// After which what happened is in the metrics.
const DELAY: Duration = Duration::from_secs(120);

/// [`ReadMetrics`] by CloudWatch and SQS.
pub struct CloudMetrics {
    metrics: aws_sdk_cloudwatch::Client,
    queues: aws_sdk_sqs::Client,
    /// Names and addresses of the queues of dead letters.
    dead_letters: Vec<(String, String)>,
    /// The start of the last block that was read, and what it came to.
    read: Mutex<Option<(i64, Vitals)>>,
}

impl CloudMetrics {
    /// `dead_letters` are names and addresses of queues.
    pub fn new(aws: &AwsConfig, http: &SharedHttpClient, dead_letters: Vec<(String, String)>) -> Self {
        let (metrics, queues) = (cloudwatch_client(aws, http), sqs_client(aws, http, Patience::default()));
        CloudMetrics { metrics, queues, dead_letters, read: Mutex::default() }
    }

    /// The last block that is whole, read at most once.
    async fn block(&self, now: Timestamp) -> Result<Vitals, StoreError> {
        let seconds = i64::try_from(BLOCK.as_secs()).unwrap_or(i64::MAX);
        let from = ((now - DELAY).seconds() / seconds - 1) * seconds;
        let known = *self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, vitals)) = known.filter(|(at, _)| *at == from) {
            tracing::debug!(at, "these minutes were read before");
            return Ok(vitals);
        }
        let vitals = self.ask(from, from + seconds).await?;
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some((from, vitals));
        Ok(vitals)
    }

    async fn ask(&self, from: i64, to: i64) -> Result<Vitals, StoreError> {
        let asked = self.metrics.get_metric_data().set_metric_data_queries(Some(ASKED.map(query).into()));
        let asked = asked.start_time(DateTime::from_secs(from)).end_time(DateTime::from_secs(to));
        let answer = asked.send().await.map_err(store_error)?;
        Ok(vitals(answer.metric_data_results()))
    }

    async fn waiting(&self, name: &str, url: &str) -> Result<(String, u64), StoreError> {
        let asked = QueueAttributeName::ApproximateNumberOfMessages;
        let answer = self.queues.get_queue_attributes().queue_url(url).attribute_names(asked.clone());
        let answer = answer.send().await.map_err(store_error)?;
        let count = answer.attributes().and_then(|attributes| attributes.get(&asked)?.parse().ok());
        let count = count.ok_or_else(|| StoreError::Rejected(format!("the queue {name} has no length")))?;
        Ok((name.to_owned(), count))
    }
}

fn query((id, metric, statistic): (&str, &str, &str)) -> MetricDataQuery {
    let metric = Metric::builder().namespace(NAMESPACE).metric_name(metric).build();
    let period = i32::try_from(BLOCK.as_secs()).unwrap_or(i32::MAX);
    let stat = MetricStat::builder().metric(metric).period(period).stat(statistic).build();
    MetricDataQuery::builder().id(id).metric_stat(stat).build()
}

/// The figures of a block with enough requests.
fn vitals(answer: &[MetricDataResult]) -> Vitals {
    let figure = |id: &str| {
        let series = answer.iter().find(|series| series.id() == Some(id))?;
        series.values().first().copied().filter(|value| value.is_finite() && *value >= 0.0)
    };
    // Far below where a float loses whole numbers, and `as` saturates.
    let whole = |value: f64| value.round() as u64;
    let is_enough = |id: &str| figure(id).map_or(0, whole) >= Vitals::REQUESTS_MIN;
    let share = figure("fallback").map(|share| whole(share * 1e6).min(1_000_000));
    Vitals {
        p95_ms: figure("duration").filter(|_| is_enough("requests")).map(|millis| whole(millis.ceil())),
        fallback_ppm: share.filter(|_| is_enough("could")).and_then(|ppm| u32::try_from(ppm).ok()),
    }
}

#[async_trait]
impl ReadMetrics for CloudMetrics {
    async fn vitals(&self, now: Timestamp) -> Result<Vitals, StoreError> {
        self.block(now).await
    }

    async fn dead_letters(&self) -> Result<Vec<(String, u64)>, StoreError> {
        try_join_all(self.dead_letters.iter().map(|(name, url)| self.waiting(name, url))).await
    }
}

#[cfg(test)]
mod tests;
