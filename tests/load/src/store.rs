//! The store: writes to one item wait for each other, and a partition takes so many write units a
//! second.

use super::{MEASURED, MILLISECOND, Micros, SECOND, WARM_UP};

/// From a gateway to the store, and back.
pub(crate) const NETWORK: Micros = MILLISECOND / 2;
/// Write units that DynamoDB lets one partition use in a second. What it lends beyond that for a
/// while is left out: a key that is busy is so for hours.
pub(crate) const PARTITION_UNITS: u64 = 1_000;
/// Bytes of a write unit.
const UNIT: u64 = 1_024;
/// The largest item.
pub(crate) const ITEM_MAX: u64 = 400 * 1_024;

/// The partition has no units left; the write did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Throttled;

/// Write units of an item of so many bytes.
pub(crate) fn units(bytes: u64) -> u64 {
    bytes.div_ceil(UNIT).max(1)
}

/// A partition, with one item that everybody writes. Items that only one request writes never
/// wait, and need no place here.
pub(crate) struct Partition {
    /// When the last write that was let in is done.
    free_at: Micros,
    /// Millionths of a unit.
    left: u64,
    filled_at: Micros,
    /// Used while it was measured.
    used: u64,
}

impl Default for Partition {
    fn default() -> Self {
        Partition { free_at: 0, left: PARTITION_UNITS * SECOND, filled_at: 0, used: 0 }
    }
}

impl Partition {
    /// Takes units for a write that arrives now.
    pub(crate) fn take(&mut self, now: Micros, units: u64) -> Result<(), Throttled> {
        let full = PARTITION_UNITS * SECOND;
        self.left = full.min(self.left + (now - self.filled_at) * PARTITION_UNITS);
        self.filled_at = now;
        self.left = self.left.checked_sub(units * SECOND).ok_or(Throttled)?;
        if (WARM_UP..WARM_UP + MEASURED).contains(&now) {
            self.used += units;
        }
        Ok(())
    }

    /// A write of the common item that arrives now and takes `work`: when it is done.
    pub(crate) fn write(&mut self, now: Micros, units: u64, work: Micros) -> Result<Micros, Throttled> {
        self.take(now, units)?;
        self.free_at = self.free_at.max(now) + work;
        Ok(self.free_at)
    }

    /// Whether a write of the common item is under way.
    pub(crate) fn is_busy(&self, now: Micros) -> bool {
        self.free_at > now
    }

    /// Units used while it was measured.
    pub(crate) fn used(&self) -> u64 {
        self.used
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_writes_of_one_item_wait_for_each_other() {
        let mut partition = Partition::default();
        assert_eq!(partition.write(100, 1, 50), Ok(150));
        assert_eq!(partition.write(120, 1, 50), Ok(200));
        assert!(partition.is_busy(199) && !partition.is_busy(200));
        assert_eq!(partition.write(300, 1, 50), Ok(350));
    }

    #[test]
    fn a_partition_gives_a_thousand_units_a_second() {
        let mut partition = Partition::default();
        let granted = (0..=10 * SECOND).step_by(500).filter(|now| partition.take(*now, 1).is_ok()).count();
        // Those of ten seconds, and the full second it began with.
        assert_eq!(granted, 11_000);
        assert_eq!(partition.take(10 * SECOND, 100), Err(Throttled));
    }

    #[test]
    fn a_write_costs_a_unit_for_each_kilobyte() {
        assert_eq!([0, 1, 1_024, 1_025, 10_240].map(units), [1, 1, 1, 2, 10]);
    }
}
