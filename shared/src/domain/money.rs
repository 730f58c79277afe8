//! Amounts of money: whole nano-dollars, checked arithmetic, decimal strings outside.
#![deny(clippy::float_arithmetic)]

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Nano-dollars in one dollar.
pub const NANO_PER_USD: i64 = 1_000_000_000;

/// An amount in nano-dollars (10⁻⁹ USD). In JSON it is a decimal string of dollars, `"0.0015"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NanoUsd(i64);

/// Why an amount was refused. An amount that cannot be represented is never rounded to zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoneyError {
    /// The result does not fit 64 bits.
    Overflow,
    /// The text is not a plain decimal number of dollars with at most nine decimals.
    NotADecimal,
}

impl NanoUsd {
    pub const ZERO: NanoUsd = NanoUsd(0);
    /// The cap of a scope without a budget: about 9.2 billion dollars.
    pub const UNLIMITED: NanoUsd = NanoUsd(i64::MAX);

    pub const fn from_nano(nano: i64) -> Self {
        NanoUsd(nano)
    }

    pub const fn nano(self) -> i64 {
        self.0
    }

    /// # Errors
    /// [`MoneyError::Overflow`] when the sum does not fit 64 bits.
    pub fn checked_add(self, other: NanoUsd) -> Result<NanoUsd, MoneyError> {
        self.0.checked_add(other.0).map(NanoUsd).ok_or(MoneyError::Overflow)
    }

    /// # Errors
    /// [`MoneyError::Overflow`] when the difference does not fit 64 bits.
    pub fn checked_sub(self, other: NanoUsd) -> Result<NanoUsd, MoneyError> {
        self.0.checked_sub(other.0).map(NanoUsd).ok_or(MoneyError::Overflow)
    }
}

impl fmt::Display for NanoUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let whole = magnitude / NANO_PER_USD.unsigned_abs();
        let fraction = format!("{:09}", magnitude % NANO_PER_USD.unsigned_abs());
        let fraction = fraction.trim_end_matches('0');
        let sign = if self.0 < 0 { "-" } else { "" };
        match fraction {
            "" => write!(f, "{sign}{whole}"),
            digits => write!(f, "{sign}{whole}.{digits}"),
        }
    }
}

impl FromStr for NanoUsd {
    type Err = MoneyError;

    /// Reads a non-negative decimal number of dollars, `12`, `0.5` or `1.000000001`. Signs,
    /// exponents, blanks and more than nine decimals are refused.
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let dangling = text.contains('.') && fraction.is_empty();
        if whole.is_empty() || dangling || fraction.len() > 9 || !digits(whole) || !digits(fraction) {
            return Err(MoneyError::NotADecimal);
        }
        let whole: i64 = whole.parse().map_err(|_| MoneyError::Overflow)?;
        let fraction: i64 = format!("{fraction:0<9}").parse().map_err(|_| MoneyError::NotADecimal)?;
        let nano = whole.checked_mul(NANO_PER_USD).and_then(|n| n.checked_add(fraction));
        nano.map(NanoUsd).ok_or(MoneyError::Overflow)
    }
}

impl fmt::Display for MoneyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            MoneyError::Overflow => "the amount does not fit 64 bits of nano-dollars",
            MoneyError::NotADecimal => {
                "expected a decimal number of dollars such as \"1.50\", with at most nine decimals"
            }
        })
    }
}

impl Serialize for NanoUsd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for NanoUsd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_strings_round_trip() {
        for text in ["0", "1", "0.5", "12.000000001", "0.1", "9223372036.854775807"] {
            let amount: NanoUsd = text.parse().expect(text);
            assert_eq!(amount.to_string(), text);
        }
        assert_eq!("1.50".parse::<NanoUsd>().expect("trailing zero").to_string(), "1.5");
        assert_eq!(NanoUsd::from_nano(-1).to_string(), "-0.000000001");
    }

    #[test]
    fn what_is_not_a_plain_decimal_is_refused() {
        for text in [
            "",
            "-1",
            "+1",
            "1e3",
            "NaN",
            "Infinity",
            "1.",
            ".5",
            " 1",
            "1,5",
            "0.1234567890",
            "9223372036.9",
            "1e30",
        ] {
            assert!(text.parse::<NanoUsd>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn overflow_is_an_error_and_never_zero() {
        let max = NanoUsd::UNLIMITED;
        assert_eq!(max.checked_add(NanoUsd::from_nano(1)), Err(MoneyError::Overflow));
        assert_eq!(
            NanoUsd::from_nano(i64::MIN).checked_sub(NanoUsd::from_nano(1)),
            Err(MoneyError::Overflow)
        );
    }
}
