//! Builds the function's needs from its environment.

use std::path::PathBuf;
use std::sync::Arc;

use shared::app::administer::Admin;
use shared::app::change::Registry;
use shared::app::overview::Overview;
use shared::aws::{
    DynamoAlerts, DynamoAuditLog, DynamoBreakers, DynamoCounters, DynamoKeys, DynamoPolicies, DynamoRollups,
    Environment, StartError, variable,
};
use shared::log::{self, Sink};

use super::{Files, Office};

/// # Errors
/// [`StartError`]: a function that cannot keep its promises does not start.
pub async fn from_environment() -> Result<Office, StartError> {
    let environment = Environment::load()?;
    log::init(environment.config.observability.log_level, Sink::Stdout);
    let (clients, control) = (&environment.clients, variable("CONTROL_TABLE")?);
    let registry = Registry::new(
        Arc::new(DynamoKeys::new(clients.clone(), control.clone())),
        Arc::new(DynamoPolicies::new(clients.clone(), control.clone())),
        Arc::new(DynamoCounters::new(clients.clone(), variable("BUDGETS_TABLE")?)),
        Arc::new(DynamoAlerts::new(clients.clone(), variable("USAGE_TABLE")?)),
        Arc::new(DynamoAuditLog::new(clients.clone(), control.clone())),
    );
    let overview = Overview::new(
        Arc::new(DynamoRollups::new(clients.clone(), variable("USAGE_TABLE")?)),
        Arc::new(DynamoBreakers::new(clients.clone(), control)),
        environment.config.routing.chain().map(ToString::to_string).collect(),
    );
    let admin = Admin {
        registry,
        clock: Arc::clone(&environment.clock),
        pepper: environment.pepper().await?,
        admin_key: environment.secret("ADMIN_KEY").await?,
    };
    // Lambda unpacks there what was packed beside the program.
    let packed = std::env::var_os("LAMBDA_TASK_ROOT").map(|root| PathBuf::from(root).join("dashboard"));
    Ok(Office { admin, overview, files: Files::load(packed.as_deref()) })
}
