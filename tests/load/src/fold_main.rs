//! Prints what folding costs: `fold-cost`.

use load::fold::{Hour, LINE_BYTES, Settings, fold, lines};

/// Dollars: a million read units, a gigabyte-second of Lambda on x86_64.
const READ_UNITS: f64 = 0.125;
const GIGABYTE_SECOND: f64 = 0.000_016_666_7;
/// What the store costs a million requests otherwise, by infra/README.md: writes and reads of a miss.
const OTHERWISE: f64 = 4.38 + 0.94;
/// Memory that comes with a whole core.
const CORE_MB: f64 = 1_769.0;
const TRIES: usize = 5;
/// What lies in one partition after an hour at 100 requests a second.
const LINES_MAX: u64 = 90_000;

/// Time that this thread has run on a core, in seconds.
fn on_core() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|word| word.parse::<f64>().ok());
    nanos.unwrap_or_default() / 1e9
}

/// CPU of one fold, the best of a few times that each are long enough for the clock, in seconds.
fn measured(count: u64) -> f64 {
    let lines = lines(count);
    let folds = (LINES_MAX / count).max(1);
    let run = || {
        let before = on_core();
        for _ in 0..folds {
            assert_eq!(fold(&lines), count, "each line is a request");
        }
        (on_core() - before) / folds as f64
    };
    (0..TRIES).map(|_| run()).fold(f64::INFINITY, f64::min)
}

fn main() {
    let settings = Settings::of_template();
    println!("{settings:?}, lines of {LINE_BYTES} bytes; CPU is reading lines from JSON and folding");
    println!(
        "them, without what the SDK does of its own. Of store: beside what a miss costs there otherwise. Longest: a"
    );
    println!(
        "batch that folds all four partitions of a whole hour, in the share of a core that the memory gives.\n"
    );
    println!("{:>10}  {:>8}  {:>12}", "lines", "CPU ms", "us a line");
    let mut each = 0.0;
    for count in [900, 9_000, LINES_MAX] {
        let seconds = measured(count);
        each = seconds / count as f64;
        println!("{count:>10}  {:>8.2}  {:>12.2}", seconds * 1e3, each * 1e6);
    }
    println!(
        "\n{:>7}  {:>6}  {:>11}  {:>9}  {:>9}  {:>9}  {:>11}  {:>9}  {:>10}",
        "rate /s",
        "folds",
        "read units",
        "reads $/h",
        "CPU s/h",
        "CPU $/h",
        "$/M requests",
        "of store",
        "longest s"
    );
    for rate in [1, 10, 100] {
        let hour = Hour::at(rate, &settings);
        let reads = hour.read_units as f64 / 1e6 * READ_UNITS;
        let cpu = hour.lines as f64 * each;
        let lambda = cpu * CORE_MB / 1_024.0 * GIGABYTE_SECOND;
        let million = (reads + lambda) / hour.requests as f64 * 1e6;
        let share = CORE_MB / settings.memory as f64;
        let longest = hour.requests as f64 * each * share.max(1.0);
        println!(
            "{rate:>7}  {:>6}  {:>11}  {reads:>9.5}  {cpu:>9.2}  {lambda:>9.6}  {million:>12.3}  {:>8.1}%  {longest:>10.2}",
            hour.folds,
            hour.read_units,
            million / OTHERWISE * 100.0,
        );
    }
}
