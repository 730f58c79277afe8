//! A call of the provider's API, and the faults that come before its answer has a head.

use std::future::pending;
use std::time::{SystemTime, UNIX_EPOCH};

use http::HeaderMap;

use super::body::{Reset, wait};
use super::error::{ApiError, Refusal};
use super::script::{Fault, Script};
use super::state::Demo;

pub(super) struct Call<'a> {
    pub(super) demo: &'a Demo,
    pub(super) number: u64,
    pub(super) path: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    pub(super) now: SystemTime,
}

impl Call<'_> {
    /// Counts a call of `model`, and acts out the faults that come before any header. A name that
    /// is no script is refused, unless it is a known model's.
    pub(super) async fn begin(&self, model: &str, known: bool) -> Result<Script, Refusal> {
        self.demo.count(model);
        let script = match self.script(model) {
            Err(_) if known => Script::default(),
            script => script?,
        };
        refuse(&script).await?;
        Ok(script)
    }

    pub(super) fn script(&self, model: &str) -> Result<Script, ApiError> {
        self.demo.script(model).map_err(|error| ApiError::unknown_model(model, &error))
    }

    pub(super) fn created(&self) -> u64 {
        epoch_seconds(self.now)
    }
}

pub(super) async fn refuse(script: &Script) -> Result<(), Refusal> {
    let refusal = match script.fault {
        Some(Fault::Hang) => pending().await,
        Some(Fault::Reset(0)) => Refusal::Reset(Reset),
        Some(Fault::Status { code, retry_after }) => ApiError::scripted(code, retry_after).into(),
        _ => return Ok(()),
    };
    wait(script.delay).await;
    Err(refusal)
}

pub(super) fn epoch_seconds(now: SystemTime) -> u64 {
    now.duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}
