//! Units of measure.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A dimension, and how many of its smallest unit one of this unit is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Unit {
    pub dimension: &'static str,
    pub factor: f64,
}

impl Unit {
    pub(super) const CLOCK: Unit = Unit { dimension: "clock", factor: 1.0 };

    /// Money, whose sign stands before the number.
    pub(super) fn is_money(self) -> bool {
        matches!(self.dimension, "dollar" | "pound" | "euro" | "yen" | "rupee")
    }
}

static UNITS: LazyLock<HashMap<&'static str, Unit>> = LazyLock::new(|| {
    let list = include_str!("../lists/units.txt");
    let lines = list.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(": "));
    lines
        .flat_map(|(dimension, units)| units.split(" | ").flat_map(move |unit| spellings(dimension, unit)))
        .collect()
});

fn spellings(dimension: &'static str, unit: &'static str) -> impl Iterator<Item = (&'static str, Unit)> {
    let (factor, spellings) = unit.split_once(' ').unwrap_or((unit, ""));
    let unit = Unit { dimension, factor: factor.parse().unwrap_or(1.0) };
    spellings.split(' ').map(move |spelling| (spelling, unit))
}

pub(super) fn unit(text: &str) -> Option<Unit> {
    UNITS.get(text).copied()
}
