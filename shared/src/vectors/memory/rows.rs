//! The entries of one partition, and the search among them.
//!
//! Each vector is there twice: in signed bytes, which are scanned in a fifth of the time, and as it
//! came. What the bytes may have misjudged is compared as it came, so the nearest are the true
//! ones and their cosines those of the vectors themselves.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::time::Timestamp;
use crate::ports::Neighbour;
use crate::ports::vector_rules::cosine;

/// Of what an entry takes beside its vector and its texts: pointers, and its places in three maps.
const OVERHEAD: usize = 320;
/// Beyond the bound of the bytes' error, for the rounding of the sums.
const ROUNDING: f32 = 1e-4;

#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: Arc<str>,
    pub(super) expires: Timestamp,
    pub(super) payload: Box<str>,
    /// The number of the write that brought it.
    pub(super) age: u64,
}

impl Row {
    /// What it takes together with a vector of so many components.
    pub(super) fn bytes(&self, dimensions: usize) -> usize {
        let vector = dimensions * (size_of::<f32>() + size_of::<i8>());
        vector + self.id.len() + self.payload.len() + OVERHEAD
    }
}

#[derive(Debug)]
pub(super) struct Rows {
    dimensions: usize,
    rows: Vec<Row>,
    places: HashMap<Arc<str>, usize>,
    /// Row after row.
    vectors: Vec<f32>,
    bytes: Vec<i8>,
    /// What the bytes of a row are to be multiplied by.
    scales: Vec<f32>,
    /// At least the length of what a vector differs by from its bytes, for each that was ever here.
    error: f32,
}

impl Rows {
    pub(super) fn new(dimensions: usize) -> Self {
        Rows {
            dimensions,
            rows: Vec::new(),
            places: HashMap::new(),
            vectors: Vec::new(),
            bytes: Vec::new(),
            scales: Vec::new(),
            error: 0.0,
        }
    }

    pub(super) fn dimensions(&self) -> usize {
        self.dimensions
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn expired(&self, now: Timestamp) -> impl Iterator<Item = &Arc<str>> {
        self.rows.iter().filter(move |row| row.expires < now).map(|row| &row.id)
    }

    /// Its id must not be there.
    pub(super) fn push(&mut self, row: Row, vector: &[f32]) {
        let rounded = Rounded::of(vector);
        self.places.insert(row.id.clone(), self.rows.len());
        self.rows.push(row);
        self.vectors.extend_from_slice(vector);
        self.bytes.extend_from_slice(&rounded.bytes);
        self.scales.push(rounded.scale);
        self.error = self.error.max(rounded.error);
    }

    /// The last row takes the place of the one that goes.
    pub(super) fn remove(&mut self, id: &str) -> Option<Row> {
        let place = self.places.remove(id)?;
        let row = self.rows.swap_remove(place);
        if let Some(moved) = self.rows.get(place) {
            self.places.insert(moved.id.clone(), place);
        }
        let (at, last) = (place * self.dimensions, self.rows.len() * self.dimensions);
        self.vectors.copy_within(last.., at);
        self.vectors.truncate(last);
        self.bytes.copy_within(last.., at);
        self.bytes.truncate(last);
        self.scales.swap_remove(place);
        Some(row)
    }

    pub(super) fn nearest(&self, vector: &[f32], most: usize) -> Vec<Neighbour> {
        let asked = Rounded::of(vector);
        let cosines = self.rounded_cosines(&asked);
        // The difference of two products of vectors of length one, by that of their factors.
        let error = asked.error + (1.0 + asked.error) * self.error + ROUNDING;
        let floor = least_of_best(&cosines, most) - 2.0 * error;
        let near = cosines.iter().enumerate().filter(|(_, cosine)| **cosine >= floor);
        let mut exact: Vec<(f32, &Row)> =
            near.map(|(place, _)| (self.cosine(place, vector), &self.rows[place])).collect();
        exact.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.id.cmp(&b.1.id)));
        exact.truncate(most);
        exact
            .into_iter()
            .map(|(similarity, row)| Neighbour {
                id: row.id.to_string(),
                similarity,
                expires: row.expires,
                payload: row.payload.to_string(),
            })
            .collect()
    }

    fn rounded_cosines(&self, asked: &Rounded) -> Vec<f32> {
        let rows = self.bytes.chunks_exact(self.dimensions.max(1)).zip(&self.scales);
        rows.map(|(bytes, scale)| product(bytes, &asked.bytes) * scale * asked.scale).collect()
    }

    fn cosine(&self, place: usize, vector: &[f32]) -> f32 {
        let stored = &self.vectors[place * self.dimensions..][..self.dimensions];
        // Doubles keep the sum of rounding errors below what a float can show.
        let sum: f64 = stored.iter().zip(vector).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        cosine(sum)
    }
}

/// A vector in signed bytes.
struct Rounded {
    bytes: Vec<i8>,
    scale: f32,
    /// Length of the difference.
    error: f32,
}

impl Rounded {
    fn of(vector: &[f32]) -> Self {
        let greatest = vector.iter().fold(0.0_f32, |greatest, component| greatest.max(component.abs()));
        let scale = if greatest > 0.0 { greatest / f32::from(i8::MAX) } else { 1.0 };
        #[expect(clippy::cast_possible_truncation, reason = "the greatest becomes 127")]
        let bytes: Vec<i8> = vector.iter().map(|component| (component / scale).round() as i8).collect();
        let differences =
            vector.iter().zip(&bytes).map(|(component, byte)| component - f32::from(*byte) * scale);
        let error = differences.map(|difference| difference * difference).sum::<f32>().sqrt();
        Rounded { bytes, scale, error }
    }
}

fn product(a: &[i8], b: &[i8]) -> f32 {
    let sum: i32 = a.iter().zip(b).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
    #[expect(
        clippy::cast_precision_loss,
        reason = "exact up to 1,040 components, and rounded to 1 in 16 million beyond"
    )]
    let sum = sum as f32;
    sum
}

/// The `most`-th greatest, or less than any where there are not so many.
fn least_of_best(cosines: &[f32], most: usize) -> f32 {
    let mut best: Vec<f32> = Vec::with_capacity(most.min(cosines.len()) + 1);
    for cosine in cosines {
        if best.len() < most || best.last().is_some_and(|least| cosine > least) {
            best.insert(best.partition_point(|better| better >= cosine), *cosine);
            best.truncate(most);
        }
    }
    if best.len() < most { f32::NEG_INFINITY } else { best.last().copied().unwrap_or(f32::INFINITY) }
}
