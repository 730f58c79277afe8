//! OTLP over HTTP, in its JSON form, through the one client. The SDK of OpenTelemetry batches on a
//! timer, which is frozen with the function; what is to be sent here is known when a request is over.

mod json;
mod points;
mod settings;
mod spans;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, timeout};

pub use settings::Settings;
use settings::Target;

use super::names::Switches;
use crate::domain::event::RequestEvent;
use crate::domain::trace::Sampler;

/// Events beyond this are dropped, the oldest first.
const PENDING_MAX: usize = 1_000;
/// A receiver that failed is left alone for this long, so that not every request waits for it.
const QUIET: Duration = Duration::from_secs(10);

/// Collects events and sends them.
pub struct Otlp {
    settings: Settings,
    client: reqwest::Client,
    pending: Mutex<Vec<RequestEvent>>,
    quiet_until: Mutex<Option<Instant>>,
}

impl Otlp {
    pub fn new(settings: Settings, client: reqwest::Client) -> Self {
        Otlp { settings, client, pending: Mutex::default(), quiet_until: Mutex::default() }
    }

    /// None where traces go nowhere.
    pub(super) fn sampler(&self) -> Option<Sampler> {
        self.settings.traces.as_ref().map(|_| self.settings.sampler)
    }

    pub(super) fn take(&self, event: RequestEvent) {
        let mut pending = lock(&self.pending);
        if pending.len() == PENDING_MAX {
            pending.remove(0);
        }
        pending.push(event);
    }

    /// Sends what there is, within the patience of the settings.
    pub(super) async fn flush(&self, switches: &Switches) {
        if lock(&self.quiet_until).is_some_and(|until| Instant::now() < until) {
            return;
        }
        let events = std::mem::take(&mut *lock(&self.pending));
        if events.is_empty() {
            return;
        }
        let (settings, resource) = (&self.settings, &self.settings.resource);
        let traces = settings.traces.as_ref().zip(spans::request(&events, resource, switches.tokens));
        let metrics = settings.metrics.as_ref().zip(points::request(&events, resource, switches));
        let both = async { tokio::join!(self.send(traces), self.send(metrics)) };
        let failure = match timeout(settings.patience, both).await {
            Ok((traces, metrics)) => traces.and(metrics).err(),
            Err(_) => Some("no answer in time".to_owned()),
        };
        if let Some(why) = &failure {
            tracing::warn!(why, events = events.len(), "telemetry could not be exported");
        }
        *lock(&self.quiet_until) = failure.map(|_| Instant::now() + QUIET);
    }

    async fn send(&self, what: Option<(&Target, Value)>) -> Result<(), String> {
        let Some((target, body)) = what else { return Ok(()) };
        let mut request = self.client.post(&target.url).header("content-type", "application/json");
        for (name, value) in &target.headers {
            request = request.header(name, value);
        }
        // The address may hold a secret, and so may an error that quotes it.
        let response = request.body(body.to_string()).send().await;
        let response = response.map_err(|error| error.without_url().to_string())?;
        match response.status().is_success() {
            true => Ok(()),
            false => Err(format!("status {}", response.status().as_u16())),
        }
    }
}

fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
