//! Prints the load model's table: `load-model [SEED]`.

fn main() {
    let seed = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1);
    let found = load::report(seed);
    println!("One key, streams of 5 s in the middle and 40 s at the 99th percentile, seed {seed}.");
    println!(
        "A write takes its item 4 ms, 10 ms at the 99th percentile, and others wait for it; a partition"
    );
    println!(
        "gives 1,000 write units a second. Refused: requests that would have fit. p50 and p99: store time"
    );
    println!(
        "added to a request. Busiest: units a second of the busiest partition. The target: none refused,"
    );
    println!("p99 at most {} ms.\n", load::P99_MAX);
    print!("{}", found.table);
    println!();
    for (rate, shards) in &found.shards {
        match shards {
            Some(count) => println!("{rate} requests/s: {count} counter(s) hold the target"),
            None => println!("{rate} requests/s: no number of counters holds the target"),
        }
    }
    println!(
        "One counter holds it up to {} requests/s: from there on a scope must be sharded.",
        found.one_counter
    );
}
