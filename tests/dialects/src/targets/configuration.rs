//! The operator's files.

use std::collections::BTreeSet;

use shared::config::{Config, ConfigErrors, Prices};

/// A file is used, or every fault in it has a place and a reason; reading it again says the same.
pub(super) fn target(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let read = Config::parse(text);
    assert_eq!(read, Config::parse(text));
    match read {
        Err(faults) => assert_faults(&faults),
        Ok(config) => {
            for model in config.routing.chain() {
                assert!(config.provider(model.provider()).is_some(), "{model:?} has no provider");
            }
        }
    }
}

/// No two rows of a list that is used have one name, and nothing is free that does not say so.
pub(super) fn prices(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let read = Prices::parse(text);
    assert_eq!(read, Prices::parse(text));
    match read {
        Err(faults) => assert_faults(&faults),
        Ok(prices) => {
            let ids: BTreeSet<&str> = prices.rows().iter().map(|row| row.id.as_str()).collect();
            assert_eq!(ids.len(), prices.rows().len());
        }
    }
}

fn assert_faults(faults: &ConfigErrors) {
    assert!(!faults.0.is_empty());
    for fault in &faults.0 {
        assert!(!fault.path.is_empty() && !fault.message.is_empty(), "{fault:?}");
    }
}
