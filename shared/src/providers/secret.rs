//! A provider's secret, which may be replaced while the function is warm.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use crate::config::SecretRef;
use crate::domain::time::Timestamp;
use crate::ports::FindSecret;

/// A provider that refuses every secret must not cost a look-up for each request.
const PAUSE: Duration = Duration::from_secs(10);

pub(super) struct Secret {
    reference: SecretRef,
    state: Mutex<State>,
}

struct State {
    value: String,
    renewed_at: Option<Timestamp>,
}

impl Secret {
    pub(super) fn new(reference: SecretRef, value: String) -> Self {
        Secret { reference, state: Mutex::new(State { value, renewed_at: None }) }
    }

    pub(super) fn now(&self) -> String {
        self.state().value.clone()
    }

    /// Looks the secret up again, and tells whether it is another one now.
    pub(super) async fn renew(&self, secrets: &dyn FindSecret, now: Timestamp) -> bool {
        {
            let mut state = self.state();
            if state.renewed_at.is_some_and(|at| now < at + PAUSE) {
                return false;
            }
            state.renewed_at = Some(now);
        }
        match secrets.find_secret(&self.reference).await {
            Ok(value) => {
                let mut state = self.state();
                let is_new = state.value != value;
                state.value = value;
                is_new
            }
            Err(error) => {
                tracing::warn!(error, "a refused secret could not be looked up again");
                false
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic happens while the secret is held")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use async_trait::async_trait;

    use super::*;

    /// A store whose secret changes with every look.
    struct Rotating(AtomicU32);

    #[async_trait]
    impl FindSecret for Rotating {
        async fn find_secret(&self, _: &SecretRef) -> Result<String, String> {
            Ok(format!("secret-{}", self.0.fetch_add(1, Ordering::Relaxed)))
        }
    }

    #[tokio::test]
    async fn a_secret_is_renewed_once_in_a_while() {
        let store = Rotating(AtomicU32::new(0));
        let secret = Secret::new("env:KEY".parse().expect("a reference"), "secret-0".to_owned());
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
        assert!(!secret.renew(&store, at(0)).await, "the same secret is no reason to try again");
        assert!(!secret.renew(&store, at(9)).await, "too soon");
        assert!(secret.renew(&store, at(10)).await);
        assert_eq!(secret.now(), "secret-1");
    }
}
