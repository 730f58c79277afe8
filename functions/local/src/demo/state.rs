//! What the demo provider remembers: calls, behaviours and the bill.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use serde::Serialize;

use super::script::{Script, ScriptError};

/// A handle on the provider's state; clones share it. Model names may begin with `demo/` or not.
#[derive(Debug, Clone, Default)]
pub struct Demo {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    requests: u64,
    calls: BTreeMap<String, u64>,
    behaviours: BTreeMap<String, Script>,
    bill: BTreeMap<String, Charge>,
}

/// What a provider would ask to be paid for, in tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Charge {
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
}

impl Demo {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How often `model` was asked for an answer, whatever came of it.
    #[must_use]
    pub fn calls(&self, model: &str) -> u64 {
        self.state().calls.get(bare(model)).copied().unwrap_or(0)
    }

    /// Replaces what `model` does from now on.
    pub fn set_behaviour(&self, model: &str, script: &str) -> Result<(), ScriptError> {
        let script = script.parse()?;
        self.state().behaviours.insert(bare(model).to_owned(), script);
        Ok(())
    }

    /// What `model` has been charged for so far.
    #[must_use]
    pub fn charged(&self, model: &str) -> Charge {
        self.state().bill.get(bare(model)).copied().unwrap_or_default()
    }

    /// Every charge, by model.
    #[must_use]
    pub fn bill(&self) -> BTreeMap<String, Charge> {
        self.state().bill.clone()
    }

    pub(super) fn all_calls(&self) -> BTreeMap<String, u64> {
        self.state().calls.clone()
    }

    pub(super) fn behaviour_names(&self) -> Vec<String> {
        self.state().behaviours.keys().cloned().collect()
    }

    /// Numbers a request.
    pub(super) fn number(&self) -> u64 {
        let mut state = self.state();
        state.requests += 1;
        state.requests
    }

    /// Counts a call of `model`.
    pub(super) fn count(&self, model: &str) {
        *self.state().calls.entry(model.to_owned()).or_default() += 1;
    }

    pub(super) fn script(&self, model: &str) -> Result<Script, ScriptError> {
        match self.state().behaviours.get(model) {
            Some(script) => Ok(script.clone()),
            None => model.parse(),
        }
    }

    fn charge(&self, model: &str, charge: Charge) {
        let mut state = self.state();
        let sum = state.bill.entry(model.to_owned()).or_default();
        sum.prompt_tokens += charge.prompt_tokens;
        sum.completion_tokens += charge.completion_tokens;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic happens while the state is held")
    }
}

/// Charges one answer while it goes out: the prompt once, and each completion token as it is sent,
/// so that a caller who leaves early is charged as far as the answer got.
pub(super) struct Meter {
    demo: Demo,
    model: String,
    prompt_due: u64,
}

impl Meter {
    pub(super) fn new(demo: &Demo, model: &str, prompt_tokens: u64) -> Self {
        Self { demo: demo.clone(), model: model.to_owned(), prompt_due: prompt_tokens }
    }

    pub(super) fn charge(&mut self, completion_tokens: u64) {
        let prompt_tokens = std::mem::take(&mut self.prompt_due);
        self.demo.charge(&self.model, Charge { prompt_tokens, completion_tokens });
    }
}

/// The model's name without the provider's.
pub(super) fn bare(model: &str) -> &str {
    model.strip_prefix("demo/").unwrap_or(model)
}
