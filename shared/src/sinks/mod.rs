//! The sinks of alerts: Slack, PagerDuty, SNS and signed webhooks, each told by one request.

mod pagerduty;
mod slack;
mod sns;
mod webhook;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use crate::config::{self, Alerts, BaseUrl, Given, MinSeverity, SecretRef, Takes};
use crate::domain::alert::{Alert, QuietHours, Route, SendError, Severity, Telling};
use crate::domain::key::hex;
use crate::ports::{Clock, FindSecret, SendAlert};
use crate::signing::Account;

/// How long a sink may take to answer; a claim lasts longer.
const TIMEOUT: Duration = Duration::from_secs(10);

enum Sink {
    Slack(Given<BaseUrl>),
    PagerDuty { url: BaseUrl, routing_key: Given<String> },
    Sns { topic_arn: String },
    Webhook { url: BaseUrl, secret: Option<SecretRef> },
}

/// What is needed to reach them.
pub struct Surroundings {
    pub http: reqwest::Client,
    pub secrets: Arc<dyn FindSecret>,
    pub clock: Arc<dyn Clock>,
    /// Signs calls of SNS; none where nobody has credentials.
    pub account: Option<Account>,
    /// Where SNS is, where that is not AWS itself.
    pub sns_endpoint: Option<String>,
}

/// The configured sinks, by name.
pub struct Sinks {
    sinks: BTreeMap<String, Sink>,
    around: Surroundings,
}

impl Sinks {
    pub fn new(alerts: &Alerts, around: Surroundings) -> Self {
        let sinks = configured(alerts).into_iter().map(|(name, sink, _)| (name, sink)).collect();
        Sinks { sinks, around }
    }

    async fn secret(&self, reference: &SecretRef) -> Result<String, SendError> {
        let found = self.around.secrets.find_secret(reference).await;
        found.map_err(|why| SendError::Passing { why, after: None })
    }

    async fn given<T: Clone + std::str::FromStr>(&self, given: &Given<T>) -> Result<T, SendError> {
        match given {
            Given::Plain(plain) => Ok(plain.clone()),
            // The text is the secret, and is not told.
            Given::Secret(reference) => self.secret(reference).await?.trim().parse().map_err(|_| {
                SendError::Final(format!("the secret {reference} cannot be read as what it is for"))
            }),
        }
    }

    async fn request(
        &self,
        sink: &Sink,
        alert: &Alert,
        telling: Telling,
    ) -> Result<http::Request<String>, SendError> {
        let now = self.around.clock.now();
        let built = match sink {
            Sink::Slack(url) => slack::request(&self.given(url).await?, alert, telling),
            Sink::PagerDuty { url, routing_key } => {
                pagerduty::request(url, &self.given(routing_key).await?, alert, telling)
            }
            Sink::Sns { topic_arn } => sns::request(&self.around, topic_arn, alert, telling, now),
            Sink::Webhook { url, secret } => {
                let secret = match secret {
                    Some(reference) => Some(self.secret(reference).await?),
                    None => None,
                };
                webhook::request(url, secret.as_deref(), alert, telling, now)
            }
        };
        built.map_err(SendError::Final)
    }
}

#[async_trait]
impl SendAlert for Sinks {
    async fn send(&self, sink: &str, alert: &Alert, telling: Telling) -> Result<(), SendError> {
        let Some(sink) = self.sinks.get(sink) else {
            return Err(SendError::Final("it is configured no more".to_owned()));
        };
        let request = self.request(sink, alert, telling).await?;
        let mut request =
            reqwest::Request::try_from(request).map_err(|error| SendError::Final(error.to_string()))?;
        *request.timeout_mut() = Some(TIMEOUT);
        let answer = self.around.http.execute(request).await;
        // The address of a channel is a secret.
        let answer = answer
            .map_err(|error| SendError::Passing { why: error.without_url().to_string(), after: None })?;
        let (status, after) = (answer.status(), retry_after(answer.headers()));
        if status.is_success() {
            return Ok(());
        }
        // Its words may repeat the address.
        let why = format!("status {}", status.as_u16());
        let may_pass = status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429);
        Err(if may_pass { SendError::Passing { why, after } } else { SendError::Final(why) })
    }
}

fn retry_after(headers: &http::HeaderMap) -> Option<Duration> {
    headers.get("retry-after")?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// Who takes which alerts, and when not.
pub fn routes(alerts: &Alerts) -> Vec<Route> {
    let quiet: Vec<QuietHours> = alerts
        .quiet_hours
        .iter()
        .map(|hours| QuietHours {
            tenants: hours.tenants.clone(),
            from: hours.from,
            to: hours.to,
            utc_offset: hours.utc_offset,
        })
        .collect();
    let route = |(name, sink, takes): (String, Sink, Takes)| Route {
        sink: name,
        tenants: takes.tenants,
        min_severity: match takes.min_severity {
            MinSeverity::Info => Severity::Info,
            MinSeverity::Warning => Severity::Warning,
            MinSeverity::Critical => Severity::Critical,
        },
        resolves: matches!(sink, Sink::PagerDuty { .. }),
        quiet: quiet.clone(),
    };
    configured(alerts).into_iter().map(route).collect()
}

/// A sink is named by its kind and its address, so that it stays the same when others come or go.
fn configured(alerts: &Alerts) -> Vec<(String, Sink, Takes)> {
    let named = |kind: &str, address: &str| {
        let mut digest = hex(&Sha256::digest(address.as_bytes()));
        digest.truncate(12);
        format!("{kind}-{digest}")
    };
    let slack = alerts.slack.iter().map(|config::Slack { url, takes }| {
        let address = match url {
            Given::Plain(url) => url.as_str().to_owned(),
            Given::Secret(reference) => reference.to_string(),
        };
        (named("slack", &address), Sink::Slack(url.clone()), takes.clone())
    });
    let pagerduty = alerts.pagerduty.iter().map(|config::PagerDuty { routing_key, url, takes }| {
        let key = match routing_key {
            Given::Plain(key) => key.clone(),
            Given::Secret(reference) => reference.to_string(),
        };
        let sink = Sink::PagerDuty { url: url.clone(), routing_key: routing_key.clone() };
        (named("pagerduty", &key), sink, takes.clone())
    });
    let sns = alerts.sns.iter().map(|config::Sns { topic_arn, takes }| {
        (named("sns", topic_arn), Sink::Sns { topic_arn: topic_arn.clone() }, takes.clone())
    });
    let webhooks = alerts.webhooks.iter().map(|config::Webhook { url, secret, takes }| {
        let sink = Sink::Webhook { url: url.clone(), secret: secret.clone() };
        (named("webhook", url.as_str()), sink, takes.clone())
    });
    slack.chain(pagerduty).chain(sns).chain(webhooks).collect()
}

/// A POST of JSON.
fn post(url: &str, body: &serde_json::Value) -> Result<http::Request<String>, String> {
    let request = http::Request::post(url).header("content-type", "application/json");
    request.body(body.to_string()).map_err(|_| "its address cannot be called".to_owned())
}
