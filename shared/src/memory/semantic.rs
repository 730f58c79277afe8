//! What the semantic tier keeps beside its vectors, in memory: marks, and the measured precision.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::MemoryStore;
use crate::domain::cache::{CacheKey, Mark, Marks, Selector, Served};
use crate::domain::time::{Period, Timestamp};
use crate::ports::{CacheMarks, MeasurePrecision, Precision, StoreError};

/// Marks of a tenant by what they select, and what models last called themselves.
#[derive(Debug, Default)]
pub(super) struct Semantic {
    marks: BTreeMap<(String, Selector), Mark>,
    served: BTreeMap<String, Served>,
    /// By the fresh answer: the first comparison counts.
    compared: BTreeMap<CacheKey, Comparison>,
}

#[derive(Debug)]
struct Comparison {
    tenant: String,
    model: String,
    agreed: bool,
    at: Timestamp,
}

#[async_trait]
impl CacheMarks for MemoryStore {
    async fn read_marks(&self) -> Result<Marks, StoreError> {
        let semantic = &self.state().semantic;
        Ok(Marks {
            marks: semantic.marks.values().cloned().collect(),
            served: semantic.served.values().cloned().collect(),
        })
    }

    async fn mark(&self, mark: &Mark, _expires: Timestamp) -> Result<(), StoreError> {
        let key = (mark.tenant.clone(), mark.selector.clone());
        let standing = &mut self.state().semantic.marks;
        let standing = standing.entry(key).or_insert_with(|| mark.clone());
        standing.at = standing.at.max(mark.at);
        Ok(())
    }

    async fn note_served(&self, served: &Served) -> Result<(), StoreError> {
        let standing = &mut self.state().semantic.served;
        if standing.get(&served.target).is_none_or(|standing| standing.at <= served.at) {
            standing.insert(served.target.clone(), served.clone());
        }
        Ok(())
    }
}

#[async_trait]
impl MeasurePrecision for MemoryStore {
    async fn compared(
        &self,
        tenant: &str,
        model: &str,
        fresh: &CacheKey,
        agreed: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.state().semantic.compared.entry(fresh.clone()).or_insert_with(|| Comparison {
            tenant: tenant.to_owned(),
            model: model.to_owned(),
            agreed,
            at: now,
        });
        Ok(())
    }

    async fn precision(
        &self,
        tenant: &str,
        since: Timestamp,
    ) -> Result<Vec<(String, Precision)>, StoreError> {
        let since = Period::Day.starts_at(since);
        let mut sums: BTreeMap<String, Precision> = BTreeMap::new();
        let state = self.state();
        let counted = state.semantic.compared.values();
        for one in counted.filter(|one| one.tenant == tenant && one.at >= since) {
            let sum = sums.entry(one.model.clone()).or_default();
            sum.compared += 1;
            sum.agreed += u64::from(one.agreed);
        }
        Ok(sums.into_iter().collect())
    }
}
