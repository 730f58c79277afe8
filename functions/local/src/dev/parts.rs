//! The functions beside `chat`, made of the stores of this process.

use std::sync::Arc;

use admin::Office;
use alerts::Alerts;
use shared::app::administer::Admin;
use shared::app::change::Registry;
use shared::app::overview::Overview;
use shared::config::Config;
use shared::ports::{Clock, ListKeys, WriteLedger};
use shared::telemetry::Recorder;
use usage::Usage;

use super::files::Secrets;
use super::gateway::Stores;
use super::{rollups, schedule};

pub(super) fn usage(
    config: &Config,
    stores: &Stores,
    secrets: &Secrets,
    ledger: &Arc<dyn WriteLedger>,
    clock: &Arc<dyn Clock>,
) -> Usage {
    Usage {
        keys: Arc::clone(&stores.find_key),
        all_keys: Arc::clone(&stores.manage_keys) as Arc<dyn ListKeys>,
        pepper: secrets.pepper.clone(),
        admin_key: secrets.admin_key.clone(),
        clock: Arc::clone(clock),
        lines: Arc::clone(&stores.read_ledger),
        ledger: Arc::clone(ledger),
        counters: Arc::clone(&stores.counters),
        rollups: Arc::clone(&stores.read_rollups),
        write_rollups: Arc::clone(&stores.write_rollups),
        watch: rollups::watch(&config.alerts.anomaly, stores, clock),
    }
}

/// # Errors
/// When the HTTP client of the sinks cannot be built.
pub(super) fn alerts(
    config: &Config,
    stores: &Stores,
    recorder: Arc<Recorder>,
    ledger: &Arc<dyn WriteLedger>,
    clock: &Arc<dyn Clock>,
) -> Result<Alerts, String> {
    let watch = schedule::watch(config, stores, recorder, clock)?;
    let (in_use, counters) = (Arc::clone(&stores.counters_in_use), Arc::clone(&stores.counters));
    Ok(Alerts::new(in_use, counters, Arc::clone(ledger), Arc::clone(clock), watch))
}

pub(super) fn office(
    config: &Config,
    stores: &Stores,
    secrets: &Secrets,
    files: admin::Files,
    clock: &Arc<dyn Clock>,
) -> Office {
    let registry = Registry::new(
        Arc::clone(&stores.manage_keys),
        Arc::clone(&stores.manage_policies),
        Arc::clone(&stores.counters),
        Arc::clone(&stores.outbox),
        Arc::clone(&stores.audit),
    );
    let (pepper, admin_key) = (secrets.pepper.clone(), secrets.admin_key.clone());
    let overview = Overview::new(
        Arc::clone(&stores.read_rollups),
        Arc::clone(&stores.breakers),
        config.routing.chain().map(ToString::to_string).collect(),
    );
    Office { admin: Admin { registry, clock: Arc::clone(clock), pepper, admin_key }, overview, files }
}
