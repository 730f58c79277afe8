//! Where the lines of the ledger lie.

use std::fmt;
use std::str::FromStr;

use super::id::AttemptId;

/// Partitions that the lines of one tenant and hour are spread over.
const SHARDS: u8 = 4;

/// One partition of the ledger. All attempts of a request lie in one, by the hour the request
/// came in, so that whoever knows tenant and request finds them together, and so that the distinct
/// requests of an hour are the sum of those of its partitions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    pub tenant: String,
    /// Hours since the epoch.
    pub hour: i64,
    pub shard: u8,
}

impl Partition {
    pub fn of(tenant: &str, request: AttemptId) -> Self {
        let sum = request.to_string().bytes().fold(0, u8::wrapping_add);
        Partition { tenant: tenant.to_owned(), hour: request.at().hour(), shard: sum % SHARDS }
    }

    /// All partitions of one tenant and hour.
    pub fn of_hour(tenant: &str, hour: i64) -> impl Iterator<Item = Partition> {
        (0..SHARDS).map(move |shard| Partition { tenant: tenant.to_owned(), hour, shard })
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}#{}", self.tenant, self.hour, self.shard)
    }
}

impl FromStr for Partition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.rsplitn(3, '#');
        let (shard, hour, tenant) = (parts.next(), parts.next(), parts.next());
        let read = (|| {
            let shard = shard?.parse().ok().filter(|shard| *shard < SHARDS)?;
            Some(Partition { tenant: tenant?.to_owned(), hour: hour?.parse().ok()?, shard })
        })();
        read.ok_or_else(|| format!("not a partition of the ledger: {text:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;

    #[test]
    fn a_partition_is_read_back_from_its_name() {
        let request = AttemptId::new(Timestamp::from_millis(1_800_000_000_000), 7);
        let partition = Partition::of("acme", request);
        assert_eq!(partition.hour, 500_000);
        assert_eq!(partition.to_string().parse(), Ok(partition.clone()));
        assert!(Partition::of_hour("acme", 500_000).any(|one| one == partition));
        for text in ["", "acme", "acme#500000", "acme#500000#4", "acme#x#1", "acme#500000#-1"] {
            assert!(text.parse::<Partition>().is_err(), "{text}");
        }
    }

    #[test]
    fn requests_are_spread_over_all_shards() {
        let at = Timestamp::from_millis(1_800_000_000_000);
        let shards: std::collections::BTreeSet<u8> =
            (0..64).map(|n| Partition::of("acme", AttemptId::new(at, n)).shard).collect();
        assert_eq!(shards.len(), usize::from(SHARDS));
    }
}
