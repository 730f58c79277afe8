//! What the gateway tells of itself: metrics and the wide event in CloudWatch's format, traces and
//! metrics by OTLP, and on the laptop the last minutes in the process.

pub mod emf;
pub mod names;
mod otlp;
mod recorder;

use std::io::Write;
use std::sync::Arc;

use async_trait::async_trait;

pub use names::Switches;
pub use otlp::{Otlp, Settings};
pub use recorder::Recorder;

use crate::config::Config;
use crate::domain::event::RequestEvent;
use crate::domain::trace::Sampler;
use crate::ports::Observe;

/// Where events go.
pub struct Telemetry {
    pub switches: Switches,
    /// Whether each is written to stdout as a line that CloudWatch reads metrics from.
    pub emf: bool,
    pub recorder: Option<Arc<Recorder>>,
    pub otlp: Option<Otlp>,
}

impl Telemetry {
    /// As this gateway is configured to tell.
    pub fn new(config: &Config) -> Self {
        let switches =
            Switches { metrics: config.observability.metrics.clone(), tokens: config.billing.track_tokens };
        Telemetry { switches, emf: false, recorder: None, otlp: None }
    }

    /// And by OTLP, where the environment names a receiver and the configuration allows it. What the
    /// environment asks for in vain is logged and holds nothing up.
    pub fn exporting(self, config: &Config, client: &reqwest::Client) -> Self {
        if !config.observability.otel_enabled {
            return self;
        }
        let settings = Settings::read(|name| std::env::var(name).ok()).unwrap_or_else(|why| {
            tracing::error!(why, "telemetry is not exported");
            None
        });
        Telemetry { otlp: settings.map(|settings| Otlp::new(settings, client.clone())), ..self }
    }
}

/// Writes a whole line to stdout, which Lambda hands to CloudWatch.
pub fn write(document: &serde_json::Value) {
    // One write: lines of several threads must not run into each other. A closed pipe is no fault of a request.
    let _ = std::io::stdout().lock().write_all(format!("{document}\n").as_bytes());
}

#[async_trait]
impl Observe for Telemetry {
    fn sampler(&self) -> Option<Sampler> {
        self.otlp.as_ref().and_then(Otlp::sampler)
    }

    fn record(&self, event: RequestEvent) {
        if let Some(recorder) = &self.recorder {
            recorder.take(&event);
        }
        if self.emf {
            write(&emf::document(&event, &self.switches));
        }
        if let Some(otlp) = &self.otlp {
            otlp.take(event);
        }
    }

    async fn flush(&self) {
        if let Some(otlp) = &self.otlp {
            otlp.flush(&self.switches).await;
        }
    }
}
