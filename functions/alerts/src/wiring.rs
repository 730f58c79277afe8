//! Builds the function's needs from its environment.

use std::sync::Arc;

use shared::aws::{DynamoCounters, DynamoLedger, DynamoOpenHolds, Environment, StartError, variable};
use shared::log::{self, Sink};

use super::Alerts;

/// # Errors
/// [`StartError`]: a function that cannot keep its promises does not start.
pub fn from_environment() -> Result<Alerts, StartError> {
    let environment = Environment::load()?;
    log::init(environment.config.observability.log_level, Sink::Stdout);
    let (clients, budgets) = (environment.clients.clone(), variable("BUDGETS_TABLE")?);
    let open = DynamoOpenHolds::new(clients.clone(), budgets.clone(), DynamoOpenHolds::PAGE);
    let ledger = DynamoLedger::new(clients.clone(), variable("LEDGER_TABLE")?, budgets.clone());
    Ok(Alerts::new(
        Arc::new(open),
        Arc::new(DynamoCounters::new(clients, budgets)),
        Arc::new(ledger),
        Arc::clone(&environment.clock),
    ))
}
