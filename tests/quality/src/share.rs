//! A share of counted cases, and how sure it is.

use std::fmt;

use shared::domain::share::{ratio, wilson};

/// `part` of `whole`, with the 95 % interval of Wilson.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    pub part: u64,
    pub whole: u64,
}

impl Share {
    pub fn count(&mut self, is: bool) {
        self.part += u64::from(is);
        self.whole += 1;
    }

    /// In percent; zero of nothing is zero.
    pub fn percent(self) -> f64 {
        100.0 * ratio(self.part, self.whole).unwrap_or_default()
    }

    /// In percent, lower and upper end.
    pub fn interval(self) -> (f64, f64) {
        let [low, high] = wilson(self.part, self.whole.max(1)).unwrap_or_default();
        (100.0 * low, 100.0 * high)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (low, high) = self.interval();
        let counts = format!("{}/{}", self.part, self.whole);
        write!(f, "{:5.2} % [{low:5.2}, {high:5.2}] {counts:>9}", self.percent())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_wilsons() {
        let (low, high) = Share { part: 10, whole: 100 }.interval();
        assert!((low - 5.52).abs() < 0.01 && (high - 17.44).abs() < 0.01, "{low} {high}");
    }

    #[test]
    fn nothing_of_nothing_is_no_error() {
        let (low, high) = Share::default().interval();
        assert!(low == 0.0 && high > 0.0 && Share::default().percent() == 0.0);
    }
}
