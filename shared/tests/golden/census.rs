//! How large the corpus is.

use super::corpus::{files, root};
use super::dialects::{INBOUND, TARGETS};
use super::{decode, requests, usage};

#[test]
fn the_corpus_is_as_large_as_it_claims() {
    let asked: usize = INBOUND.iter().map(|(name, _)| requests::cases(name).len()).sum();
    let heard: usize = decode::PROVIDERS.iter().map(|(name, _)| decode::cases(name).len()).sum();
    let reports: usize = decode::PROVIDERS.iter().map(|(name, _)| usage::cases(name).len()).sum();
    let errors = files(&root().join("errors"), "snap").len();
    // One reply of a stream is streamed and one is whole; chat completions stream in two ways.
    let replies = INBOUND.len() * 2 + 1;
    let snapshots = asked + heard + reports + errors;
    // A request that its own dialect refuses reaches no provider.
    let readable = INBOUND.iter().flat_map(|(name, dialect)| {
        requests::cases(name).into_iter().filter(|case| dialect.read(requests::body(case)).is_ok())
    });
    let pairs = readable.count() * TARGETS.len();
    println!("requests: {asked} files, {pairs} pairs of request and provider");
    println!("streams: {heard} files, {} pairs of stream and reply", heard * replies);
    println!("reports of usage: {reports} files, {} pairs of report and dialect", reports * INBOUND.len());
    println!("errors: {errors}, {} pairs of error and dialect", errors * INBOUND.len());
    println!("snapshots: {snapshots}");
    assert!(asked >= 60 && heard >= 35 && pairs >= 200, "the corpus has shrunk");
}
