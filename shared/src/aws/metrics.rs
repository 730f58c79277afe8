//! How the gateway has been: two of its metrics by one signed call of CloudWatch, which an SDK crate would pay
//! for with a second HTTP stack, and the lengths of the queues of dead letters.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::types::QueueAttributeName;
use futures_util::future::try_join_all;
use serde::Deserialize;
use serde_json::{Value, json};

use super::AwsConfig;
use super::errors::store_error;
use crate::client::causes;
use crate::domain::time::Timestamp;
use crate::ports::{ReadMetrics, StoreError, Vitals};
use crate::signing::Signer;

const SERVICE: &str = "monitoring";
const TIMEOUT: Duration = Duration::from_secs(3);
const NAMESPACE: &str = "Tollgate";
/// What is asked for: name in the answer, metric, statistic.
const ASKED: [(&str, &str, &str); 3] = [
    ("duration", "tollgate.gateway.duration", "p95"),
    ("fallback", "fallback.trigger_rate", "Average"),
    ("requests", "fallback.trigger_rate", "SampleCount"),
];
/// CloudWatch charges for each metric that is read, so the minutes of a block are read together.
const BLOCK: Duration = Vitals::WINDOW;
/// After which what happened is in the metrics.
const DELAY: Duration = Duration::from_secs(120);

/// [`ReadMetrics`] by CloudWatch and SQS.
pub struct CloudMetrics {
    http: reqwest::Client,
    aws: AwsConfig,
    queues: aws_sdk_sqs::Client,
    /// Names and addresses of the queues of dead letters.
    dead_letters: Vec<(String, String)>,
    /// The start of the last block that was read, and what it came to.
    read: Mutex<Option<(i64, Vitals)>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    metric_data_results: Vec<Series>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Series {
    id: String,
    #[serde(default)]
    values: Vec<f64>,
}

impl CloudMetrics {
    pub fn new(
        http: reqwest::Client,
        aws: AwsConfig,
        queues: aws_sdk_sqs::Client,
        dead_letters: Vec<(String, String)>,
    ) -> Self {
        CloudMetrics { http, aws, queues, dead_letters, read: Mutex::default() }
    }

    /// The last block that is whole, read at most once.
    async fn block(&self, now: Timestamp) -> Result<Vitals, StoreError> {
        let seconds = i64::try_from(BLOCK.as_secs()).unwrap_or(i64::MAX);
        let from = ((now - DELAY).seconds() / seconds - 1) * seconds;
        let known = self.read.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, vitals)) = known.filter(|(at, _)| *at == from) {
            tracing::debug!(at, "these minutes were read before");
            return Ok(vitals);
        }
        let vitals = self.ask(from, from + seconds, now).await?;
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some((from, vitals.clone()));
        Ok(vitals)
    }

    async fn ask(&self, from: i64, to: i64, now: Timestamp) -> Result<Vitals, StoreError> {
        let request = self.request(from, to, now).map_err(StoreError::Rejected)?;
        let request = reqwest::Request::try_from(request);
        let mut request = request.map_err(|error| StoreError::Rejected(error.to_string()))?;
        *request.timeout_mut() = Some(TIMEOUT);
        let lost = |error: reqwest::Error| StoreError::NoReply(causes(&error.without_url()));
        let response = self.http.execute(request).await.map_err(lost)?;
        let status = response.status();
        let body = response.bytes().await.map_err(lost)?;
        if !status.is_success() {
            let said: Value = serde_json::from_slice(&body).unwrap_or_default();
            let kind = said["__type"].as_str().unwrap_or("no reason given");
            return Err(StoreError::Rejected(format!("CloudWatch answered {status}: {kind}")));
        }
        let answer: Answer = serde_json::from_slice(&body)
            .map_err(|error| StoreError::Rejected(format!("CloudWatch's answer is none: {error}")))?;
        Ok(vitals(&answer))
    }

    fn request(&self, from: i64, to: i64, now: Timestamp) -> Result<http::Request<String>, String> {
        let query = |(id, metric, statistic)| {
            let metric = json!({ "Namespace": NAMESPACE, "MetricName": metric });
            let stat = json!({ "Metric": metric, "Period": BLOCK.as_secs(), "Stat": statistic });
            json!({ "Id": id, "MetricStat": stat })
        };
        let asked = json!({ "MetricDataQueries": ASKED.map(query), "StartTime": from, "EndTime": to });
        let region = self.aws.region.as_str();
        let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
        let regional = || format!("https://{SERVICE}.{region}.amazonaws.com{suffix}/");
        let mut request = http::Request::post(self.aws.endpoint.clone().unwrap_or_else(regional))
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", "GraniteServiceVersion20100801.GetMetricData")
            .body(asked.to_string())
            .map_err(|error| error.to_string())?;
        let signer = Signer { credentials: &self.aws.credentials, region, service: SERVICE, now };
        signer.sign(&mut request)?;
        Ok(request)
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

/// The figures of a block with enough requests.
fn vitals(answer: &Answer) -> Vitals {
    let figure = |id: &str| {
        let series = answer.metric_data_results.iter().find(|series| series.id == id)?;
        series.values.first().copied().filter(|value| value.is_finite() && *value >= 0.0)
    };
    // Far below where a float loses whole numbers, and `as` saturates.
    let whole = |value: f64| value.round() as u64;
    if figure("requests").map_or(0, whole) < Vitals::REQUESTS_MIN {
        return Vitals::default();
    }
    let share = figure("fallback").map(|share| whole(share * 1e6).min(1_000_000));
    Vitals {
        p95_ms: figure("duration").map(|millis| whole(millis.ceil())),
        fallback_ppm: share.and_then(|ppm| u32::try_from(ppm).ok()),
        dead_letters: Vec::new(),
    }
}

#[async_trait]
impl ReadMetrics for CloudMetrics {
    async fn vitals(&self, now: Timestamp) -> Result<Vitals, StoreError> {
        let lengths = self.dead_letters.iter().map(|(name, url)| self.waiting(name, url));
        let (block, lengths) = tokio::join!(self.block(now), try_join_all(lengths));
        Ok(Vitals { dead_letters: lengths?, ..block? })
    }
}

#[cfg(test)]
mod tests;
