//! A share of counted cases, and how sure it is.

use std::fmt;

/// `part` of `whole`, with the 95 % interval of Wilson.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    pub part: usize,
    pub whole: usize,
}

/// Standard deviations of a 95 % interval.
const Z: f64 = 1.96;

impl Share {
    pub fn count(&mut self, is: bool) {
        self.part += usize::from(is);
        self.whole += 1;
    }

    /// In percent; zero of nothing is zero.
    pub fn percent(self) -> f64 {
        100.0 * float(self.part) / float(self.whole.max(1))
    }

    /// In percent, lower and upper end.
    pub fn interval(self) -> (f64, f64) {
        let n = float(self.whole.max(1));
        let p = float(self.part) / n;
        let scale = 1.0 + Z * Z / n;
        let middle = (p + Z * Z / (2.0 * n)) / scale;
        let half = Z / scale * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        (100.0 * (middle - half).max(0.0), 100.0 * (middle + half).min(1.0))
    }
}

fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
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
