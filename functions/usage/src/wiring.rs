//! Builds the function's needs from its environment.

use std::sync::Arc;

use shared::app::warm_keys::WarmKeys;
use shared::aws::{
    DynamoCounters, DynamoKeys, DynamoLedger, DynamoRollups, Environment, StartError, variable,
};
use shared::log::{self, Sink};

use super::Usage;

/// # Errors
/// [`StartError`]: a function that cannot keep its promises does not start.
pub async fn from_environment() -> Result<Usage, StartError> {
    let environment = Environment::load()?;
    log::init(environment.config.observability.log_level, Sink::Stdout);
    let (clients, clock) = (environment.clients.clone(), Arc::clone(&environment.clock));
    let budgets = variable("BUDGETS_TABLE")?;
    let ledger = Arc::new(DynamoLedger::new(clients.clone(), variable("LEDGER_TABLE")?, budgets.clone()));
    let keys = DynamoKeys::new(clients.clone(), variable("CONTROL_TABLE")?);
    let rollups = Arc::new(DynamoRollups::new(clients.clone(), variable("USAGE_TABLE")?));
    Ok(Usage {
        all_keys: Arc::new(keys.clone()),
        keys: Arc::new(WarmKeys::new(keys, Arc::clone(&clock))),
        pepper: environment.pepper().await?,
        admin_key: environment.secret("ADMIN_KEY").await?,
        clock,
        lines: ledger.clone(),
        ledger,
        counters: Arc::new(DynamoCounters::new(clients, budgets)),
        rollups: rollups.clone(),
        write_rollups: rollups,
    })
}
