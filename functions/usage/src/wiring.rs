//! Builds the function's needs from its environment.

use std::sync::Arc;

use shared::app::anomaly::{Known, Watch};
use shared::app::warm_keys::WarmKeys;
use shared::aws::{
    DynamoAlerts, DynamoCounters, DynamoKeys, DynamoLedger, DynamoRollups, DynamoSpend, Environment,
    StartError, variable,
};
use shared::config::AnomalyMode;
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
    let counters = Arc::new(DynamoCounters::new(clients.clone(), budgets));
    let warm_keys = Arc::new(WarmKeys::new(keys.clone(), Arc::clone(&clock)));
    let anomaly = &environment.config.alerts.anomaly;
    let watch = match anomaly.mode {
        AnomalyMode::Off => None,
        mode => Some(Watch {
            mode,
            settings: anomaly.into(),
            spend: Arc::new(DynamoSpend::new(clients.clone(), variable("USAGE_TABLE")?)),
            rollups: rollups.clone(),
            keys: warm_keys.clone(),
            manage_keys: Arc::new(keys.clone()),
            counters: counters.clone(),
            alerts: Some(Arc::new(DynamoAlerts::new(clients, variable("USAGE_TABLE")?))),
            clock: Arc::clone(&clock),
            known: Known::default(),
        }),
    };
    Ok(Usage {
        all_keys: Arc::new(keys),
        keys: warm_keys,
        pepper: environment.pepper().await?,
        admin_key: environment.secret("ADMIN_KEY").await?,
        clock,
        lines: ledger.clone(),
        ledger,
        counters,
        rollups: rollups.clone(),
        write_rollups: rollups,
        watch,
    })
}
