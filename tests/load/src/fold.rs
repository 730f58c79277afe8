//! What it costs that `usage` folds a partition of the ledger whole each time its lines change: one
//! tenant at an even rate of requests, one line each, its four partitions in one shard of the stream.

use shared::domain::counter::{CounterKey, Part, ScopeKind};
use shared::domain::id::AttemptId;
use shared::domain::ledger::{LINE_VERSION, LedgerLine, Outcome, Quality};
use shared::domain::money::NanoUsd;
use shared::domain::notes::{CacheStatus, Notes};
use shared::domain::partition::Partition;
use shared::domain::rollup::Fold;
use shared::domain::time::{Period, Timestamp};
use shared::domain::usage::TokenUsage;

const TEMPLATE: &str = include_str!("../../../infra/template.yaml");
/// Bytes of a line in DynamoDB, and of a unit of its strongly consistent reads.
pub const LINE_BYTES: u64 = 800;
const READ_UNIT: u64 = 4_096;
const HOUR: u64 = 3_600;
/// 2027-01-15T08:00:00Z.
const START: i64 = 1_800_000_000_000;

/// What the template says of the function and of the ledger's stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    pub batch_size: u64,
    /// Seconds that a batch gathers.
    pub window: u64,
    /// Of `usage`, in MB.
    pub memory: u64,
}

impl Settings {
    /// # Panics
    /// Where the template has no such stream.
    pub fn of_template() -> Self {
        let after = |text: &'static str, name: &str| text.split(name).nth(1).expect("the template has it");
        let number = |text: &'static str, name: &str| {
            let digits = after(text, name).trim_start().split(|letter: char| !letter.is_ascii_digit());
            digits.into_iter().next().and_then(|digits| digits.parse().ok()).expect("a number")
        };
        let stream = after(TEMPLATE, "Stream: !GetAtt Stores.Outputs.LedgerTableStreamArn");
        Settings {
            batch_size: number(stream, "BatchSize:"),
            window: number(stream, "MaximumBatchingWindowInSeconds:"),
            memory: number(TEMPLATE, "UsageMemorySize: {Type: Number, Default:"),
        }
    }
}

/// One hour of one tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hour {
    pub requests: u64,
    /// How often its partitions are folded.
    pub folds: u64,
    /// Over all folds.
    pub lines: u64,
    pub read_units: u64,
}

impl Hour {
    /// At `rate` requests a second. A batch ends with its window, or when it is full.
    pub fn at(rate: u64, settings: &Settings) -> Self {
        let interval = settings.window.min(settings.batch_size / rate).max(1);
        let folds = HOUR.div_ceil(interval);
        let read = |fold: u64| rate * HOUR.min(fold * interval);
        let partitions = u64::try_from(Partition::of_hour("acme", 0).count()).unwrap_or(1);
        let units = |lines: u64| partitions * (lines * LINE_BYTES).div_ceil(partitions * READ_UNIT);
        Hour {
            requests: rate * HOUR,
            folds,
            lines: (1..=folds).map(read).sum(),
            read_units: (1..=folds).map(|fold| units(read(fold))).sum(),
        }
    }
}

/// The lines of one partition as JSON, `count` requests of 20 users to 5 models.
pub fn lines(count: u64) -> Vec<String> {
    let at = Timestamp::from_millis(START);
    let ids = (0_u64..).map(|number| AttemptId::new(at, u128::from(number)));
    let partition = Partition::of("acme", AttemptId::new(at, 0));
    let of_partition = ids.filter(|id| Partition::of("acme", *id) == partition);
    let some = of_partition.zip(0..count);
    some.map(|(id, number)| serde_json::to_string(&line(id, number)).expect("it is JSON")).collect()
}

fn line(id: AttemptId, number: u64) -> LedgerLine {
    let amount = NanoUsd::from_nano(1_234_567);
    let counter = CounterKey::new(ScopeKind::Key, "abcdefghijkl", Period::Month, id.at());
    let model = format!("openai/model-{}", number % 5);
    LedgerLine {
        version: LINE_VERSION,
        id,
        request: id,
        tenant: "acme".to_owned(),
        key_id: "abcdefghijkl".to_owned(),
        user: Some(format!("user-{}", number % 20)),
        price: format!("{model}@2026-01-01"),
        model,
        quality: Quality::Exact,
        amount,
        reserved: amount,
        usage: TokenUsage { uncached: 1_234, output: 123, ..TokenUsage::NONE },
        outcome: Outcome::Completed,
        items: vec![Part { counter, amount }],
        at: id.at(),
        notes: Some(Notes { attempt: 1, cache: CacheStatus::Miss, ..Notes::default() }),
    }
}

/// Reads and folds the lines of one partition; returns the requests that the rollups count.
///
/// # Panics
/// Where a line is none, or the sum is beyond 64 bits.
pub fn fold(lines: &[String]) -> u64 {
    let mut fold = Fold::default();
    for line in lines {
        fold.add(&serde_json::from_str(line).expect("a line")).expect("a small sum");
    }
    fold.rollups().expect("a small sum").iter().map(|rollup| rollup.requests).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_read_half_of_it_at_each_fold() {
        let settings = Settings { batch_size: 5_000, window: 60, memory: 256 };
        let hour = Hour::at(10, &settings);
        assert_eq!((hour.requests, hour.folds), (36_000, 60));
        assert_eq!(hour.lines, 36_000 * 61 / 2);
        assert!((214_000..216_000).contains(&hour.read_units), "{hour:?}");
    }

    #[test]
    fn a_batch_that_is_full_sooner_is_folded_sooner() {
        let settings = Settings { batch_size: 5_000, window: 60, memory: 256 };
        assert_eq!(Hour::at(100, &settings).folds, 72);
        assert_eq!(Hour::at(100, &Settings { batch_size: 10_000, ..settings }).folds, 60);
    }

    #[test]
    fn every_line_is_folded() {
        let settings = Settings::of_template();
        assert!(settings.batch_size > 0 && settings.window > 0 && settings.memory >= 128, "{settings:?}");
        assert_eq!(fold(&lines(500)), 500);
    }
}
