//! What a gateway on a laptop tells of itself: the last minutes in the process, lines for CloudWatch
//! where somebody wants to see them, and OTLP where there is a receiver.

use std::sync::Arc;

use shared::client::{Reach, client};
use shared::config::Config;
use shared::telemetry::{Recorder, Telemetry};

use super::schedule;

/// Begins to tell.
///
/// # Errors
/// When the HTTP client cannot be built.
pub(super) fn start(config: &Config) -> Result<(Arc<Telemetry>, Arc<Recorder>), String> {
    let recorder = Arc::new(Recorder::default());
    let telemetry = Telemetry {
        emf: std::env::var_os("TOLLGATE_EMF").is_some(),
        recorder: Some(Arc::clone(&recorder)),
        ..Telemetry::new(config)
    };
    let http = client(Reach::Any).map_err(|error| error.to_string())?;
    let telemetry = Arc::new(telemetry.exporting(config, &http));
    tokio::spawn(schedule::flush(telemetry.clone()));
    Ok((telemetry, recorder))
}
