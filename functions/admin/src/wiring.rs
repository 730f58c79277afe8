//! Builds the function's needs from its environment.

use std::sync::Arc;

use shared::app::administer::Admin;
use shared::app::change::Registry;
use shared::aws::{
    DynamoAuditLog, DynamoCounters, DynamoKeys, DynamoPolicies, Environment, StartError, variable,
};
use shared::log::{self, Sink};

/// # Errors
/// [`StartError`]: a function that cannot keep its promises does not start.
pub async fn from_environment() -> Result<Admin, StartError> {
    let environment = Environment::load()?;
    log::init(environment.config.observability.log_level, Sink::Stdout);
    let (clients, control) = (&environment.clients, variable("CONTROL_TABLE")?);
    let registry = Registry::new(
        Arc::new(DynamoKeys::new(clients.clone(), control.clone())),
        Arc::new(DynamoPolicies::new(clients.clone(), control.clone())),
        Arc::new(DynamoCounters::new(clients.clone(), variable("BUDGETS_TABLE")?)),
        Arc::new(DynamoAuditLog::new(clients.clone(), control)),
    );
    Ok(Admin {
        registry,
        clock: Arc::clone(&environment.clock),
        pepper: environment.pepper().await?,
        admin_key: environment.secret("ADMIN_KEY").await?,
    })
}
