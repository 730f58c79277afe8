//! A share of counted cases, and how sure it is.

/// The normal quantile of a 95 % interval.
const Z: f64 = 1.959_964;

/// `part` of `whole`; none of nothing.
pub fn ratio(part: u64, whole: u64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "counts beyond 2^53 are not reached")]
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Wilson's score interval: where the true share lies, with 95 % confidence, were the cases drawn at
/// random; none of nothing.
pub fn wilson(part: u64, whole: u64) -> Option<[f64; 2]> {
    let share = ratio(part, whole)?;
    #[expect(clippy::cast_precision_loss, reason = "counts beyond 2^53 are not reached")]
    let (n, squared) = (whole as f64, Z * Z);
    let centre = share + squared / (2.0 * n);
    let spread = Z * (share * (1.0 - share) / n + squared / (4.0 * n * n)).sqrt();
    let bound = |at: f64| (at / (1.0 + squared / n)).clamp(0.0, 1.0);
    Some([bound(centre - spread), bound(centre + spread)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_wilsons() {
        assert_eq!(wilson(0, 0), None);
        let near = |found: Option<[f64; 2]>, expected: [f64; 2]| {
            let found = found.expect("an interval");
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 5e-4), "{found:?}");
        };
        // The examples of Newcombe 1998, method 3.
        near(wilson(81, 263), [0.2553, 0.3662]);
        near(wilson(15, 148), [0.0624, 0.1605]);
        near(wilson(0, 20), [0.0, 0.1611]);
        near(wilson(1, 29), [0.0061, 0.1718]);
    }
}
