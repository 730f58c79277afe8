//! Embeddings by text, each made once.

use std::collections::{BTreeMap, HashMap};

use shared::domain::guard::asked;
use shared::embed::MiniLm;
use shared::ports::Embedder;
use tokio::runtime::Builder;

use crate::sets::tools;

/// Embeddings of length one by the text that they are of.
#[derive(Default)]
pub struct Vectors {
    known: HashMap<String, Vec<f32>>,
}

impl Vectors {
    /// Embeds of each question what is asked, as the cache does.
    pub fn add_questions<'a>(&mut self, texts: impl Iterator<Item = &'a str>) -> Result<(), String> {
        self.add(texts.map(|text| (text, asked(text))))
    }

    pub fn add_answers<'a>(&mut self, texts: impl Iterator<Item = &'a str>) -> Result<(), String> {
        self.add(texts.map(|text| (text, text.to_owned())))
    }

    fn add<'a>(&mut self, texts: impl Iterator<Item = (&'a str, String)>) -> Result<(), String> {
        let new: BTreeMap<&str, String> = texts.filter(|(text, _)| !self.known.contains_key(*text)).collect();
        let embedder = MiniLm::load(&tools().join("models/all-minilm-l6-v2"), 1)?;
        let runtime = Builder::new_current_thread().build().map_err(|error| error.to_string())?;
        let read: Vec<&str> = new.values().map(String::as_str).collect();
        let vectors = runtime.block_on(embedder.embed(&read))?;
        self.known.extend(new.keys().map(|text| (*text).to_owned()).zip(vectors));
        Ok(())
    }

    /// Of a text that was embedded; of any other, none at all.
    pub fn of(&self, text: &str) -> &[f32] {
        self.known.get(text).map_or(&[], Vec::as_slice)
    }

    pub fn len(&self) -> usize {
        self.known.len()
    }

    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    pub fn cosine(&self, one: &str, other: &str) -> f32 {
        dot(self.of(one), self.of(other))
    }
}

/// Sixteen sums side by side, which the compiler makes vector instructions of.
pub fn dot(one: &[f32], other: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 16];
    for (a, b) in one.chunks_exact(16).zip(other.chunks_exact(16)) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}
