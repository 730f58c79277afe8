//! Alerts in the order in which they were raised.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use shared::domain::alert::Alert;
use shared::ports::{RaiseAlert, StoreError};

/// Takes alerts, each once.
#[derive(Debug, Default)]
pub struct Told(Mutex<Vec<Alert>>);

impl Told {
    pub fn all(&self) -> Vec<Alert> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl RaiseAlert for Told {
    async fn raise(&self, alert: &Alert) -> Result<bool, StoreError> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = told.iter().all(|one| one.id != alert.id);
        if is_new {
            told.push(alert.clone());
        }
        Ok(is_new)
    }
}
