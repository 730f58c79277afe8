//! The store of a deployed function, which the configuration and the stack tell of together.

use std::sync::Arc;

use super::{VectorStore, open};
use crate::aws::{Environment, LiveSecrets, StartError};
use crate::config::VectorServer;

/// The store of vectors that the configuration names, `table` where it is the cache table's index. Where the
/// configuration leaves out the address of a server, it is the one that the stack made.
///
/// # Errors
/// [`StartError`] naming the key, the variable or the secret that is at fault.
pub async fn open_deployed(
    environment: &Environment,
    table: &str,
) -> Result<Arc<dyn VectorStore>, StartError> {
    let clock = Arc::clone(&environment.clock);
    let secrets = LiveSecrets { secrets: environment.secrets.clone(), clock };
    let mut cache = environment.config.cache.clone();
    if cache.store.url.is_none() {
        provisioned(&mut cache.store, |name| std::env::var(name).ok())?;
    }
    Ok(open(&cache, &environment.clients, table, &secrets, &environment.clock).await?)
}

/// Fills in what the stack says of the server that it made, if it made one.
fn provisioned(
    store: &mut VectorServer,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(), StartError> {
    let given = |name: &str| variable(name).filter(|value| !value.is_empty());
    if let Some(url) = given("VECTOR_STORE_URL") {
        store.url = Some(url.parse().map_err(|error| format!("VECTOR_STORE_URL {error}"))?);
    }
    if let Some(secret) = given("VECTOR_STORE_SECRET") {
        store.secret = Some(secret.parse().map_err(|error| format!("VECTOR_STORE_SECRET {error}"))?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_that_the_stack_made_is_the_one_that_is_reached() {
        let given = |url: &str| {
            let mut store = VectorServer::default();
            let secret = "secretsmanager:arn:aws:secretsmanager:eu-west-1:1:secret:a";
            let variable = |name: &str| match name {
                "VECTOR_STORE_URL" => Some(url.to_owned()),
                "VECTOR_STORE_SECRET" => Some(secret.to_owned()),
                _ => None,
            };
            provisioned(&mut store, variable).map(|()| store)
        };
        let store = given("rediss://cache.example.com:6379").expect("an address and a secret");
        assert!(store.url.is_some_and(|url| url.tls && url.port == Some(6379)));
        assert!(store.secret.is_some_and(|secret| secret.to_string().ends_with(":secret:a")));
        let why = given("redis://cache.example.com").map_err(|error| error.to_string()).err();
        assert_eq!(why.as_deref(), Some("VECTOR_STORE_URL only localhost may be reached without encryption"));
        let mut none = VectorServer::default();
        provisioned(&mut none, |_| Some(String::new())).expect("nothing was made");
        assert_eq!(none, VectorServer::default());
    }
}
