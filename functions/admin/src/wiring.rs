//! Builds the function's needs from its environment.

use std::sync::Arc;

use shared::app::administer::Admin;
use shared::aws::{DynamoCounters, DynamoKeys, DynamoPolicies, Environment, StartError, variable};
use shared::log::{self, Sink};

/// # Errors
/// [`StartError`]: a function that cannot keep its promises does not start.
pub async fn from_environment() -> Result<Admin, StartError> {
    let environment = Environment::load()?;
    log::init(environment.config.observability.log_level, Sink::Stdout);
    Ok(Admin {
        keys: Arc::new(DynamoKeys::new(environment.clients.clone(), variable("CONTROL_TABLE")?)),
        policies: Arc::new(DynamoPolicies::new(environment.clients.clone(), variable("CONTROL_TABLE")?)),
        counters: Arc::new(DynamoCounters::new(environment.clients.clone(), variable("BUDGETS_TABLE")?)),
        clock: Arc::clone(&environment.clock),
        pepper: environment.pepper().await?,
        admin_key: environment.secret("ADMIN_KEY").await?,
    })
}
