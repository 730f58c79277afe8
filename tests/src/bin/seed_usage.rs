//! Fills the embedded stores of a gateway that is not running with 90 days of usage: 500 keys, 50 models.
//!
//!     seed_usage DIRECTORY
//!
//! Lines of a ledger are drawn and folded as `usage` folds them; what is stored is the keys and the
//! summaries, which the dashboard is drawn from. The present hour is left to the gateway.

use std::path::Path;

use local::dev::Stores;
use shared::clock::SystemClock;
use shared::domain::id::AttemptId;
use shared::domain::key::KeyRecord;
use shared::domain::ledger::{LINE_VERSION, LedgerLine, Outcome, Quality};
use shared::domain::money::NanoUsd;
use shared::domain::notes::{CacheStatus, Notes, Spent};
use shared::domain::policy::{Budget, Policy};
use shared::domain::rollup::Fold;
use shared::domain::time::{Period, Timestamp};
use shared::domain::usage::TokenUsage;
use shared::ports::Clock;

const DAYS: i64 = 90;
const KEYS: u64 = 500;
const MODELS: u64 = 50;
/// Hours of a day in which there is usage.
const HOURS: [i64; 6] = [1, 8, 11, 14, 17, 21];
const NAMES: [&str; 6] = [
    "openai/gpt-4o",
    "anthropic/claude-3-5-sonnet",
    "meta/llama-3.1-70b",
    "openai/gpt-4o-mini",
    "google/gemini-2.5-flash",
    "mistral/mistral-large",
];
const PEOPLE: [&str; 8] =
    ["search", "support-bot", "summaries", "code-review", "nightly", "translations", "triage", "playground"];

/// The same numbers in every run.
fn drawn(of: u64) -> u64 {
    let mixed = of.wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ (mixed >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 33
}

fn key_id(key: u64) -> String {
    format!("seed{key:08}")
}

fn tenant(key: u64) -> &'static str {
    if key.is_multiple_of(5) { "globex" } else { "acme" }
}

fn record(key: u64, now: Timestamp) -> KeyRecord {
    let person = PEOPLE[usize::try_from(key % 8).unwrap_or_default()];
    let cap = NanoUsd::from_nano(i64::try_from(20 + drawn(key) % 400).unwrap_or(1) * 1_000_000_000);
    let budgets = match key % 2 {
        0 => vec![Budget { cap, period: Period::Month }],
        _ => Vec::new(),
    };
    KeyRecord {
        id: key_id(key),
        digest: String::new(),
        pepper_version: 1,
        name: format!("{person}-{key}"),
        tenant: tenant(key).to_owned(),
        team: None,
        policy: Policy { budgets, version: now, ..Policy::default() },
        models: None,
        created_at: now,
        revoked_at: None,
    }
}

fn model(draw: u64) -> String {
    // Few models take most of the requests.
    let rank = (draw % 1_000).pow(5) / 1_000_000 * MODELS / 1_000_000_000;
    match NAMES.get(usize::try_from(rank).unwrap_or_default()) {
        Some(name) => (*name).to_owned(),
        None => format!("openai/fine-tuned-{rank:02}"),
    }
}

/// One request of a key, in an hour that is `busy` per mille as busy as the busiest.
fn line(key: u64, at: Timestamp, number: u64, busy: u64) -> LedgerLine {
    let draw = drawn(number ^ (key << 40));
    let (is_hit, fell_back) = (draw % 100 < 24, draw % 100 > 97);
    let tokens = (200 + draw % 3_000) * busy / 1_000;
    let nanos = i64::try_from(tokens * (2_000 + drawn(key) % 20_000)).unwrap_or_default();
    let spent = Spent {
        auth: 300 + draw % 900,
        cache: 900 + drawn(draw) % 4_000,
        admit: 2_000 + drawn(draw + 1) % 6_000,
        first_token: Some(180_000 + drawn(draw + 2) % 600_000),
        upstream: Some(900_000 + drawn(draw + 3) % 4_000_000),
        ..Spent::default()
    };
    let hit = Spent { admit: 1_500, first_token: None, upstream: None, ..spent };
    let skipped = match fell_back {
        true => vec![shared::domain::notes::Skipped {
            model: NAMES[0].to_owned(),
            why: shared::domain::notes::Why::CircuitOpen,
        }],
        false => Vec::new(),
    };
    let (cache, spent) = if is_hit { (CacheStatus::Exact, hit) } else { (CacheStatus::Miss, spent) };
    LedgerLine {
        version: LINE_VERSION,
        id: AttemptId::new(at, u128::from(number)),
        request: AttemptId::new(at, u128::from(number)),
        tenant: tenant(key).to_owned(),
        key_id: key_id(key),
        user: None,
        model: model(draw),
        price: "seed".to_owned(),
        quality: Quality::Exact,
        amount: NanoUsd::from_nano(if is_hit { 0 } else { nanos }),
        reserved: NanoUsd::ZERO,
        usage: TokenUsage { uncached: tokens, output: tokens / 4, ..TokenUsage::NONE },
        outcome: if is_hit { Outcome::CacheHit } else { Outcome::Completed },
        items: Vec::new(),
        at,
        notes: Some(Notes { attempt: u32::from(!is_hit), cache, spent, skipped, ..Notes::default() }),
    }
}

/// Weekends and nights are quiet, and usage grows.
fn busy(hour: i64, now: i64) -> u64 {
    let (day, of_day) = (hour.div_euclid(24), hour.rem_euclid(24));
    let weekend = if [2, 3].contains(&day.rem_euclid(7)) { 3 } else { 10 };
    let daily = if (8..19).contains(&of_day) { 10 } else { 3 };
    let grown = 10 - (now - hour) / (24 * 15);
    u64::try_from(weekend * daily * grown).unwrap_or_default()
}

#[tokio::main]
async fn main() {
    let folder = std::env::args().nth(1).expect("usage: seed_usage DIRECTORY");
    std::fs::create_dir_all(&folder).expect("a folder");
    let stores = Stores::embedded(Path::new(&folder)).await.expect("stores");
    let now = SystemClock.now();
    for key in 0..KEYS {
        stores.manage_keys.create(&record(key, now)).await.expect("a key");
    }
    let (this_hour, mut number) = (now.hour(), 0);
    for day in (this_hour / 24 - DAYS + 1)..=this_hour / 24 {
        for hour in HOURS.iter().map(|hour| day * 24 + hour).filter(|hour| *hour < this_hour) {
            let mut fold = Fold::default();
            // Half of them in each hour, all of them in each day.
            for key in (hour.unsigned_abs() % 2..KEYS).step_by(2) {
                number += 1;
                if drawn(number) % 1_000 > busy(hour, this_hour) {
                    continue;
                }
                let line = line(key, Timestamp::of_hour(hour), number, busy(hour, this_hour));
                fold.add(&line).expect("sums fit");
            }
            for summary in fold.close().expect("sums fit").summaries {
                stores.write_rollups.put_summary(&summary).await.expect("a summary");
            }
        }
    }
    stores.write_rollups.note_folded(now).await.expect("a note");
    println!("{KEYS} keys, {MODELS} models, {DAYS} days");
}
