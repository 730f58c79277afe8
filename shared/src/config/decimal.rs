//! Exact decimals: digits to integers, without ever passing through a float.
#![deny(clippy::float_arithmetic)]

use std::fmt;

/// Decimal places of an amount of dollars: amounts are whole nano-dollars.
pub(super) const NANO: u32 = 9;
/// Decimal places of a share of one: shares are whole millionths.
pub(super) const MILLIONTHS: u32 = 6;
/// Significant digits that a JSON number keeps for certain on its way through 64-bit floats.
pub(super) const EXACT_DIGITS: usize = 15;

/// Why a text is no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DecimalError {
    NotADecimal,
    Negative,
    TooPrecise { places: u32 },
    TooLarge,
}

impl fmt::Display for DecimalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecimalError::NotADecimal => f.write_str("must be a decimal number such as 0.50"),
            DecimalError::Negative => f.write_str("must not be negative"),
            DecimalError::TooPrecise { places } => {
                write!(f, "must have at most {places} decimals")
            }
            DecimalError::TooLarge => f.write_str("is too large"),
        }
    }
}

/// The number written in `text`, in units of ten to the minus `places`: `"0.5"` at nine places is
/// 500,000,000. Reads `12`, `0.50`, `1e-3`; trailing zeros are no extra precision.
///
/// # Errors
/// See [`DecimalError`]; nothing is ever rounded.
pub(super) fn scaled(text: &str, places: u32) -> Result<i64, DecimalError> {
    if text.starts_with('-') {
        return Err(DecimalError::Negative);
    }
    let (digits, decimals) = split(text)?;
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Ok(0);
    }
    let dropped = i64::try_from(digits.len() - significant.len()).unwrap_or(i64::MAX);
    let shift = i64::from(places) - (decimals - dropped);
    if shift < 0 {
        return Err(DecimalError::TooPrecise { places });
    }
    let shift = u32::try_from(shift).map_err(|_| DecimalError::TooLarge)?;
    let power = 10_i64.checked_pow(shift).ok_or(DecimalError::TooLarge)?;
    let value: i64 = significant.parse().map_err(|_| DecimalError::TooLarge)?;
    value.checked_mul(power).ok_or(DecimalError::TooLarge)
}

/// All digits of `text` in one run, and how many of them stand after the point.
fn split(text: &str) -> Result<(String, i64), DecimalError> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => {
            let exponent: i32 = exponent.parse().map_err(|_| DecimalError::NotADecimal)?;
            (mantissa, i64::from(exponent))
        }
        None => (text, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return Err(DecimalError::NotADecimal),
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    let digits = format!("{whole}{fraction}");
    if whole.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DecimalError::NotADecimal);
    }
    let decimals = i64::try_from(fraction.len()).map_err(|_| DecimalError::TooLarge)?;
    Ok((digits, decimals - exponent))
}

/// Significant digits of a number as written, leading and trailing zeros apart.
pub(super) fn significant_digits(text: &str) -> usize {
    let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    digits.trim_start_matches('0').trim_end_matches('0').len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_exactly() {
        for (text, nano) in [
            ("0", 0),
            ("0.000", 0),
            ("0e999999", 0),
            ("0.50", 500_000_000),
            ("0.1", 100_000_000),
            ("0.3", 300_000_000),
            ("12", 12_000_000_000),
            ("0.000000001", 1),
            ("0.0000000010", 1),
            ("1e-9", 1),
            ("1.5E2", 150_000_000_000),
            ("1e+1", 10_000_000_000),
            ("1000e-3", 1_000_000_000),
            ("9223372036.854775807", i64::MAX),
        ] {
            assert_eq!(scaled(text, NANO), Ok(nano), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_represented_is_refused_and_never_rounded() {
        let precise = DecimalError::TooPrecise { places: NANO };
        for (text, why) in [
            ("0.0000000001", precise),
            ("1e-10", precise),
            ("1.0000000001", precise),
            ("1e-2147483647", precise),
            ("9223372036.854775808", DecimalError::TooLarge),
            ("1e10", DecimalError::TooLarge),
            ("1e400", DecimalError::TooLarge),
            ("1e2147483647", DecimalError::TooLarge),
            ("-0.5", DecimalError::Negative),
            ("-0", DecimalError::Negative),
        ] {
            assert_eq!(scaled(text, NANO), Err(why), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "",
            ".",
            ".5",
            "5.",
            "NaN",
            "nan",
            "Infinity",
            "+1",
            " 1",
            "1 ",
            "1,5",
            "1_000",
            "0x10",
            "1e",
            "1e1.5",
            "1e99999999999",
            "1.2.3",
            "$1",
            "１",
            "1e-",
        ] {
            assert_eq!(scaled(text, NANO), Err(DecimalError::NotADecimal), "{text:?}");
        }
    }

    #[test]
    fn significant_digits_ignore_the_zeros_around_them() {
        for (text, count) in [("0.50", 1), ("1000", 1), ("1.0203", 5), ("1.25e-7", 3), ("0", 0)] {
            assert_eq!(significant_digits(text), count, "{text}");
        }
    }
}
