//! The vector of a question that a provider embedded, on its way and beside the answer.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A vector of length one. It is written as base64 of its 32-bit floats, little-endian.
#[derive(Clone, Debug, PartialEq)]
pub struct QuestionVector(Vec<f32>);

impl QuestionVector {
    /// None for a vector of another number of components, or without a direction.
    pub fn new(mut components: Vec<f32>, dimensions: usize) -> Option<Self> {
        let length = components.iter().map(|part| part * part).sum::<f32>().sqrt();
        if components.len() != dimensions || !length.is_finite() || length == 0.0 {
            return None;
        }
        components.iter_mut().for_each(|part| *part /= length);
        Some(QuestionVector(components))
    }

    pub fn components(&self) -> &[f32] {
        &self.0
    }
}

impl Serialize for QuestionVector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = self.0.iter().flat_map(|part| part.to_le_bytes()).collect();
        serializer.serialize_str(&BASE64.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for QuestionVector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64.decode(text).map_err(serde::de::Error::custom)?;
        let (parts, []) = bytes.as_chunks::<4>() else {
            return Err(serde::de::Error::custom("not a whole number of floats"));
        };
        Ok(QuestionVector(parts.iter().map(|part| f32::from_le_bytes(*part)).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_has_length_one_and_keeps_its_form() {
        let vector = QuestionVector::new(vec![3.0, -4.0], 2).expect("a vector");
        assert_eq!(vector.components(), [0.6, -0.8]);
        let text = serde_json::to_string(&vector).expect("JSON");
        assert_eq!(text, "\"mpkZP83MTL8=\"");
        assert_eq!(serde_json::from_str::<QuestionVector>(&text).expect("a vector"), vector);
        assert!(serde_json::from_str::<QuestionVector>("\"AAA=\"").is_err());
    }

    #[test]
    fn what_is_no_vector_of_its_embedder_is_none() {
        for (components, dimensions) in [
            (vec![1.0], 2),
            (vec![0.0, 0.0], 2),
            (vec![f32::NAN, 1.0], 2),
            (vec![f32::MAX, f32::MAX], 2),
            (vec![], 0),
        ] {
            assert_eq!(QuestionVector::new(components.clone(), dimensions), None, "{components:?}");
        }
    }
}
