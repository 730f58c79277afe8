//! An embedded DynamoDB: the adapter that runs in AWS, over a database of this process.
//!
//! The SDK's requests go to it through an in-process connector, without socket and without HTTP.
//! Durability: every commit is in SQLite's write-ahead log before it is acknowledged, so a crash or
//! SIGKILL of the process loses nothing. The log is not forced to disk at each commit (synchronous
//! NORMAL): a power failure may lose the latest commits, in order, and never corrupts the file.
//! The ledger's stream is off here, since the emulator never trims it; the process itself tells
//! which lines it wrote.

mod connector;
mod tables;

use std::path::Path;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};
use dynoxide::Database;
use shared::aws::{AwsConfig, Clients, DynamoVectors, Patience, SharedHttpClient, Tables, VECTOR_DIMENSIONS};
use shared::ports::SetUpVectors;

pub use tables::create_tables;

/// An open database with its tables.
#[derive(Debug)]
pub struct Embedded {
    http: SharedHttpClient,
}

impl Embedded {
    /// Opens the file at `path`, or a database in memory, and creates the tables that are missing.
    /// One process at a time may have a file open.
    ///
    /// # Errors
    /// When the file cannot be opened or a table cannot be created.
    pub async fn open(path: Option<&Path>) -> Result<Self, String> {
        let database = match path {
            None => Database::memory().map_err(|error| error.to_string())?,
            Some(path) => open_file(path)?,
        };
        let sweeper = database.clone();
        let connector = SharedHttpConnector::new(connector::Connector::new(database));
        let embedded = Embedded { http: http_client_fn(move |_, _| connector.clone()) };
        create_tables(embedded.clients().dynamodb(), &Embedded::tables()).await?;
        embedded.index_vectors().await?;
        // The emulator deletes expired answers only when told to.
        sweeper.sweep_ttl().map_err(|error| format!("expired answers cannot be deleted: {error}"))?;
        Ok(embedded)
    }

    /// A file may be older than the index.
    async fn index_vectors(&self) -> Result<(), String> {
        let vectors = DynamoVectors::new(self.clients(), Embedded::tables().cache);
        let made = vectors.set_up(VECTOR_DIMENSIONS).await;
        made.map(|_| ()).map_err(|error| format!("the vector index cannot be made: {error}"))
    }

    pub fn tables() -> Tables {
        Tables {
            control: "control".to_owned(),
            budgets: "budgets".to_owned(),
            ledger: "ledger".to_owned(),
            cache: "cache".to_owned(),
            usage: "usage".to_owned(),
        }
    }

    /// The in-process connector, for clients of one's own.
    pub fn http_client(&self) -> &SharedHttpClient {
        &self.http
    }

    pub fn clients(&self) -> Clients {
        Clients::new(&Embedded::config(), &self.http, Embedded::patience())
    }

    /// Any region and credentials do; the requests leave with them and nobody checks.
    pub fn config() -> AwsConfig {
        let lookup = |name: &str| (name != "AWS_ENDPOINT_URL").then(|| "embedded".to_owned());
        AwsConfig::from_lookup(lookup).expect("every variable is given")
    }

    /// Calls cannot get lost in here, only wait their turn.
    pub fn patience() -> Patience {
        let long = Duration::from_secs(30);
        Patience { attempt: long, operation: long, once: long }
    }
}

fn open_file(path: &Path) -> Result<Database, String> {
    let failed = |why: String| format!("cannot open the database {}: {why}", path.display());
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).map_err(|error| failed(error.to_string()))?;
    }
    let name = path.to_str().ok_or_else(|| failed("its name is not UTF-8".to_owned()))?;
    let database = Database::new(name).map_err(|error| failed(error.to_string()))?;
    // Its other name would be: synchronous NORMAL.
    database.disable_bulk_loading().map_err(|error| failed(error.to_string()))?;
    Ok(database)
}
