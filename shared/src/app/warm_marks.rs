//! A warm copy of the cache's marks, at most 900 ms old: an invalidation reaches every instance
//! within a second.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::domain::cache::{Mark, Marks, Served};
use crate::domain::time::Timestamp;
use crate::ports::{CacheMarks, Clock, StoreError};

/// The oldest copy that may still be used.
const FRESH: Duration = Duration::from_millis(900);

/// Reads the marks for all requests of one instance.
pub struct WarmMarks {
    store: Arc<dyn CacheMarks>,
    clock: Arc<dyn Clock>,
    copy: Mutex<Option<Copy>>,
    /// Held while the store is asked, so that one request asks for all that wait.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Copy {
    marks: Arc<Marks>,
    /// Before the store was asked: what it holds may be newer, never older.
    asked_at: Timestamp,
}

impl WarmMarks {
    pub fn new(store: Arc<dyn CacheMarks>, clock: Arc<dyn Clock>) -> Self {
        WarmMarks { store, clock, copy: Mutex::default(), asking: tokio::sync::Mutex::default() }
    }

    /// All that stands.
    ///
    /// # Errors
    /// [`StoreError`]; nothing may be served from the cache then.
    pub async fn read(&self) -> Result<Arc<Marks>, StoreError> {
        if let Some(marks) = self.fresh() {
            return Ok(marks);
        }
        let _asking = self.asking.lock().await;
        if let Some(marks) = self.fresh() {
            return Ok(marks);
        }
        let asked_at = self.clock.now();
        let marks = Arc::new(self.store.read_marks().await?);
        *self.copy() = Some(Copy { marks: Arc::clone(&marks), asked_at });
        Ok(marks)
    }

    /// The copy, however old; none before the first was read.
    pub fn last(&self) -> Option<Arc<Marks>> {
        self.copy().as_ref().map(|copy| Arc::clone(&copy.marks))
    }

    /// # Errors
    /// [`StoreError`]: the mark may not stand.
    pub async fn mark(&self, mark: &Mark, expires: Timestamp) -> Result<(), StoreError> {
        let marked = self.store.mark(mark, expires).await;
        self.forget();
        marked
    }

    /// # Errors
    /// [`StoreError`]: answers of the model as it was may be served on.
    pub async fn note_served(&self, served: &Served) -> Result<(), StoreError> {
        let noted = self.store.note_served(served).await;
        self.forget();
        noted
    }

    /// None also where the clock was set back since.
    fn fresh(&self) -> Option<Arc<Marks>> {
        let now = self.clock.now();
        let copy = self.copy().clone()?;
        (copy.asked_at <= now && now.since(copy.asked_at) < FRESH).then_some(copy.marks)
    }

    /// This process sees its own changes at once.
    fn forget(&self) {
        if let Some(copy) = self.copy().as_mut() {
            copy.asked_at = Timestamp::default();
        }
    }

    fn copy(&self) -> std::sync::MutexGuard<'_, Option<Copy>> {
        self.copy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
