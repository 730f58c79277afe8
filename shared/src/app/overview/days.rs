//! What was used day by day, summed over all keys from the summaries.

use std::collections::BTreeMap;

use crate::domain::money::{MoneyError, NanoUsd};
use crate::domain::rollup::{KeyUse, ModelUse, Summary, Tiers, Times};

/// Hours of a day.
const HOURS: usize = 24;

/// One hour or one day, of all keys and models.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) requests: u64,
    pub(super) input: u64,
    pub(super) output: u64,
    pub(super) cost: NanoUsd,
    pub(super) fallbacks: u64,
    pub(super) cache: Tiers,
    /// What each model cost.
    pub(super) models: BTreeMap<String, NanoUsd>,
}

/// What a day or several came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) slot: Slot,
    pub(super) keys: BTreeMap<String, KeyUse>,
    pub(super) models: BTreeMap<String, ModelUse>,
    pub(super) times: Times,
}

/// One day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) sums: Sums,
    /// Of every hour, the coming ones too.
    pub(super) hours: Vec<Slot>,
}

impl Slot {
    pub(super) fn add(&mut self, other: &Slot) -> Result<(), MoneyError> {
        self.requests = self.requests.saturating_add(other.requests);
        self.input = self.input.saturating_add(other.input);
        self.output = self.output.saturating_add(other.output);
        self.fallbacks = self.fallbacks.saturating_add(other.fallbacks);
        self.cost = self.cost.checked_add(other.cost)?;
        self.cache.add(&other.cache);
        other.models.iter().try_for_each(|(model, cost)| pay(&mut self.models, model, *cost))
    }

    fn of(summary: &Summary) -> Result<Self, MoneyError> {
        let mut slot = Slot {
            requests: summary.requests,
            fallbacks: summary.fallbacks,
            cache: summary.cache,
            ..Slot::default()
        };
        for (model, used) in &summary.models {
            slot.input = slot.input.saturating_add(used.input);
            slot.output = slot.output.saturating_add(used.output);
            slot.cost = slot.cost.checked_add(used.cost)?;
            pay(&mut slot.models, model, used.cost)?;
        }
        Ok(slot)
    }
}

fn pay(costs: &mut BTreeMap<String, NanoUsd>, model: &str, cost: NanoUsd) -> Result<(), MoneyError> {
    match costs.get_mut(model) {
        Some(sum) => *sum = sum.checked_add(cost)?,
        None => drop(costs.insert(model.to_owned(), cost)),
    }
    Ok(())
}

impl Sums {
    pub(super) fn add(&mut self, other: &Sums) -> Result<(), MoneyError> {
        self.slot.add(&other.slot)?;
        self.times.add(&other.times);
        for (key, used) in &other.keys {
            self.keys.entry(key.clone()).or_default().add(used)?;
        }
        for (model, used) in &other.models {
            self.models.entry(model.clone()).or_default().add(used)?;
        }
        Ok(())
    }
}

impl Day {
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub(super) fn of(summaries: &[Summary]) -> Result<Self, MoneyError> {
        let mut day = Day { sums: Sums::default(), hours: vec![Slot::default(); HOURS] };
        for summary in summaries {
            let slot = Slot::of(summary)?;
            let hour = usize::try_from(summary.hour.rem_euclid(24)).unwrap_or_default();
            if let Some(sum) = day.hours.get_mut(hour) {
                sum.add(&slot)?;
            }
            let (keys, models) = (summary.keys.clone(), summary.models.clone());
            day.sums.add(&Sums { slot, keys, models, times: summary.times.clone() })?;
        }
        Ok(day)
    }
}
