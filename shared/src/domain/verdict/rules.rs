//! How bold the cache is.

/// By which rules candidates are judged. All but the numbers of candidates are cosines and ratios.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// From here on a candidate may be served whatever its words, unless a guard forbids it.
    pub threshold: f32,
    /// From here on, if all its words have their like in the question.
    pub alike: f32,
    /// From here on, if another candidate has the same answer.
    pub backed: f32,
    /// How near that other one must be.
    pub backing: f32,
    /// How many times the votes of any other answer its own must have.
    pub outweigh: f32,
    /// How many neighbours are asked for.
    pub neighbours: usize,
    /// How many of them, the nearest first, may be served.
    pub tried: usize,
}

impl Rules {
    /// For questions of any kind, also such that differ in a word that matters.
    pub const SAFE: Rules = Rules { threshold: 0.90, alike: 0.82, backed: 0.85, ..Rules::COMMON };
    /// For a set of answers that many questions share, as a help desk has.
    pub const HIGH_HIT: Rules = Rules { threshold: 0.80, alike: 0.80, backed: 0.80, ..Rules::COMMON };

    const COMMON: Rules = Rules {
        threshold: 1.0,
        alike: 1.0,
        backed: 1.0,
        backing: 0.75,
        outweigh: 5.0,
        neighbours: 8,
        tried: 3,
    };

    /// The same, and `least` is the least cosine for anything to be served.
    #[must_use]
    pub fn at_least(self, least: f32) -> Rules {
        Rules { threshold: least, alike: least, backed: least, ..self }
    }

    /// Below it nothing is served.
    pub fn lowest(&self) -> f32 {
        self.threshold.min(self.alike).min(self.backed)
    }
}
