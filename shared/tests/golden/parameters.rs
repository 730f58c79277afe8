//! The table of what becomes of each parameter, as it is published.

use std::fs;
use std::path::Path;

use shared::protocol::support;

use super::snapshot::is_rewriting;

#[test]
fn the_published_table_of_parameters_is_the_one_in_force() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("parameters.md");
    if is_rewriting() {
        fs::write(&path, support::markdown()).expect("a writable folder");
    }
    let published = fs::read_to_string(&path).expect("shared/parameters.md");
    assert_eq!(published, support::markdown(), "UPDATE_GOLDEN=1 writes it anew");
}
