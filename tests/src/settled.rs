//! What must be true once every reply has ended, whatever happened before.

use std::collections::BTreeMap;
use std::time::Duration;

use local::demo::Demo;
use shared::domain::counter::{Counter, CounterKey};
use shared::domain::ledger::{LedgerLine, Outcome};
use shared::domain::settlement::closes;
use shared::memory::MemoryStore;

/// How often a hold that is still open is looked at again before it counts as forgotten.
const LOOKS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(10);

/// The store is [`balanced`]; each dispatched attempt has exactly one line; no provider's bill is
/// above what its lines say.
pub async fn settled(store: &MemoryStore, demo: &Demo) {
    balanced(store).await;
    let lines = store.lines();
    assert_one_line_per_call(&lines, demo);
    assert_bill_covered(&lines, demo);
}

/// No hold is open and no settlement waits; each counter has spent the sum of its lines.
pub async fn balanced(store: &MemoryStore) {
    for _ in 0..LOOKS {
        if open_holds(store).is_empty() {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    assert_eq!(open_holds(store), Vec::<CounterKey>::new(), "counters with open holds");
    assert_eq!(store.take_settlement(), None, "a settlement went to the queue");
    let lines = store.lines();
    for (key, counter) in store.counters() {
        assert_spent(&key, &counter, &lines);
    }
}

fn open_holds(store: &MemoryStore) -> Vec<CounterKey> {
    let open = store.counters().into_iter().filter(|(_, counter)| !counter.live.is_empty());
    open.map(|(key, _)| key).collect()
}

fn assert_spent(key: &CounterKey, counter: &Counter, lines: &[LedgerLine]) {
    let charges = lines.iter().flat_map(closes).filter(|charge| charge.key == *key);
    let billed: i64 = charges.map(|charge| charge.billed.nano()).sum();
    let gone = counter.cap.nano() - counter.remaining.nano();
    assert_eq!(gone, billed, "cap less remaining of {key:?} against the sum of its lines");
}

fn assert_one_line_per_call(lines: &[LedgerLine], demo: &Demo) {
    let mut dispatched: BTreeMap<&str, u64> = BTreeMap::new();
    for line in lines.iter().filter(|line| was_dispatched(line)) {
        *dispatched.entry(line.model.as_str()).or_default() += 1;
    }
    for (model, lines) in dispatched {
        assert_eq!(lines, demo.calls(model), "lines of {model} against the calls it saw");
    }
    for (model, charge) in demo.bill() {
        let model = format!("demo/{model}");
        assert!(lines.iter().any(|line| line.model == model), "{model} charged {charge:?}, no line says so");
    }
}

fn was_dispatched(line: &LedgerLine) -> bool {
    !matches!(line.outcome, Outcome::CacheHit | Outcome::Abandoned)
}

fn assert_bill_covered(lines: &[LedgerLine], demo: &Demo) {
    for (model, charge) in demo.bill() {
        let model = format!("demo/{model}");
        let of_model = || lines.iter().filter(|line| line.model == model && was_dispatched(line));
        let input: u64 = of_model().map(|line| line.usage.input()).sum();
        let output: u64 = of_model().map(|line| line.usage.output).sum();
        assert!(input >= charge.prompt_tokens, "{model}: {input} input tokens billed, charged {charge:?}");
        assert!(
            output >= charge.completion_tokens,
            "{model}: {output} output tokens billed, charged {charge:?}"
        );
    }
}
