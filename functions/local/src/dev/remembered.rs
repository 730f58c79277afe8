//! Vectors of texts that were embedded a moment ago: a question that was looked up in vain is
//! indexed next, and many questions have the same answer.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use shared::ports::Embedder;

/// Texts that are remembered; each has a vector of some kilobytes.
const TEXTS_MAX: usize = 1_024;

/// An embedder that does not embed twice what it still knows.
pub(super) struct Remembered<E> {
    inner: E,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    vectors: HashMap<Arc<str>, Vec<f32>>,
    /// The oldest first.
    order: VecDeque<Arc<str>>,
}

impl<E> Remembered<E> {
    pub(super) fn new(inner: E) -> Self {
        Remembered { inner, known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn remember(&mut self, text: &str, vector: &[f32]) {
        let text: Arc<str> = Arc::from(text);
        if self.vectors.insert(Arc::clone(&text), vector.to_vec()).is_none() {
            self.order.push_back(text);
        }
        if self.order.len() > TEXTS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.vectors.remove(&oldest);
        }
    }
}

#[async_trait]
impl<E: Embedder> Embedder for Remembered<E> {
    fn id(&self) -> &str {
        self.inner.id()
    }

    fn dimensions(&self) -> usize {
        self.inner.dimensions()
    }

    async fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, String> {
        let mut vectors = Vec::with_capacity(texts.len());
        for text in texts {
            let known = self.known().vectors.get(*text).cloned();
            let vector = match known {
                Some(vector) => vector,
                None => {
                    let vector = self.inner.embed(&[text]).await?.pop().unwrap_or_default();
                    self.known().remember(text, &vector);
                    vector
                }
            };
            vectors.push(vector);
        }
        Ok(vectors)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Counts what it embeds; the vector of a text is its length.
    #[derive(Default)]
    struct Lengths(AtomicUsize);

    #[async_trait]
    impl Embedder for Lengths {
        fn id(&self) -> &str {
            "lengths"
        }

        fn dimensions(&self) -> usize {
            1
        }

        async fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, String> {
            self.0.fetch_add(texts.len(), Ordering::SeqCst);
            #[expect(clippy::cast_precision_loss, reason = "the texts are short")]
            Ok(texts.iter().map(|text| vec![text.len() as f32]).collect())
        }
    }

    #[tokio::test]
    async fn a_text_is_embedded_once_while_it_is_remembered() {
        let remembered = Remembered::new(Lengths::default());
        let vectors = remembered.embed(&["one", "three", "one"]).await.expect("vectors");
        assert_eq!(vectors, [[3.0], [5.0], [3.0]]);
        assert_eq!(remembered.inner.0.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn the_oldest_text_is_forgotten_first() {
        let remembered = Remembered::new(Lengths::default());
        for number in 0..=TEXTS_MAX {
            remembered.embed(&[number.to_string().as_str()]).await.expect("a vector");
        }
        assert_eq!(remembered.known().vectors.len(), TEXTS_MAX);
        remembered.embed(&["1", "0"]).await.expect("vectors");
        assert_eq!(remembered.inner.0.load(Ordering::SeqCst), TEXTS_MAX + 2);
    }
}
