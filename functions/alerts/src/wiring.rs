//! Builds the function's needs from its environment.

use std::sync::Arc;

use shared::app::alert::{Limits, Watch};
use shared::app::warm_policies::WarmPolicies;
use shared::aws::{
    CloudMetrics, DynamoAlerts, DynamoCounterList, DynamoCounters, DynamoKeys, DynamoLedger, DynamoPolicies,
    DynamoRollups, Environment, LiveSecrets, StartError, variable,
};
use shared::log::{self, Sink};
use shared::sinks::{Sinks, Surroundings, routes};

use super::Alerts;

/// # Errors
/// [`StartError`]: a function that cannot keep its promises does not start.
pub fn from_environment() -> Result<Alerts, StartError> {
    let environment = Environment::load()?;
    log::init(environment.config.observability.log_level, Sink::Stdout);
    let (clients, budgets) = (environment.clients.clone(), variable("BUDGETS_TABLE")?);
    let in_use = DynamoCounterList::new(clients.clone(), budgets.clone(), DynamoCounterList::PAGE);
    let ledger = DynamoLedger::new(clients.clone(), variable("LEDGER_TABLE")?, budgets.clone());
    Ok(Alerts::new(
        Arc::new(in_use),
        Arc::new(DynamoCounters::new(clients, budgets)),
        Arc::new(ledger),
        Arc::clone(&environment.clock),
        watch(&environment)?,
    ))
}

fn watch(environment: &Environment) -> Result<Watch, StartError> {
    let (clients, clock) = (environment.clients.clone(), Arc::clone(&environment.clock));
    let (control, usage) = (variable("CONTROL_TABLE")?, variable("USAGE_TABLE")?);
    let policies = DynamoPolicies::new(clients.clone(), control.clone());
    let around = Surroundings {
        http: environment.client.clone(),
        secrets: Arc::new(LiveSecrets { secrets: environment.secrets.clone(), clock: Arc::clone(&clock) }),
        clock: Arc::clone(&clock),
        account: Some((&environment.aws).into()),
        sns_endpoint: environment.aws.endpoint.clone(),
    };
    let config = &environment.config;
    Ok(Watch::new(
        Arc::new(DynamoAlerts::new(clients.clone(), usage.clone())),
        Arc::new(DynamoKeys::new(clients.clone(), control)),
        Arc::new(WarmPolicies::new(policies, clock)),
        Arc::new(DynamoRollups::new(clients, usage)),
        Some(Arc::new(metrics(environment)?)),
        Arc::new(Sinks::new(&config.alerts, around)),
        routes(&config.alerts),
        Limits::of(config),
    ))
}

fn metrics(environment: &Environment) -> Result<CloudMetrics, StartError> {
    let named =
        |name: &str| Ok((name.to_owned(), variable(&format!("{}_DEAD_LETTERS_URL", name.to_uppercase()))?));
    let letters: Result<_, StartError> = ["settle", "usage", "index"].into_iter().map(named).collect();
    Ok(CloudMetrics::new(&environment.aws, &environment.http, letters?))
}
