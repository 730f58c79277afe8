//! The `cache.store` section: how a server that keeps the vectors is reached, and how its index is
//! built. The stores that need no server read nothing of it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::base_url::Host;
use super::secret_ref::SecretRef;
use super::section::Section;

pub(super) const KEYS: &[&str] = &["url", "secret", "name", "ca_file", "hnsw"];
pub(super) const HNSW_KEYS: &[&str] = &["m", "ef_construction", "ef_search"];

/// A server of vectors, and its index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VectorServer {
    /// Needed for `redis`, `pgvector`, `qdrant` and `milvus`.
    pub url: Option<StoreUrl>,
    /// The password of the URL's user, the API key of Qdrant, or the token of Milvus.
    pub secret: Option<SecretRef>,
    /// The name of the index, the table or the collection.
    pub name: StoreName,
    /// A file with certificates in PEM, whose owners may sign the server's as well.
    pub ca_file: Option<String>,
    /// How the graph of the index is built and searched.
    pub hnsw: Hnsw,
}

/// A graph of neighbours: more edges and longer lists find more of the true nearest, and cost more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hnsw {
    /// Edges of a node, 2 to 100.
    pub m: u32,
    /// Candidates that are looked at when a node is added, 32 to 1000 and no fewer than twice `m`.
    pub ef_construction: u32,
    /// Candidates that are looked at in a search, 1 to 1000.
    pub ef_search: u32,
}

impl Default for VectorServer {
    fn default() -> Self {
        let name = StoreName("tollgate_cache".to_owned());
        VectorServer { url: None, secret: None, name, ca_file: None, hnsw: Hnsw::default() }
    }
}

impl Default for Hnsw {
    fn default() -> Self {
        Hnsw { m: 16, ef_construction: 200, ef_search: 100 }
    }
}

impl VectorServer {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let default = VectorServer::default();
        VectorServer {
            url: section.parsed("url"),
            secret: section.parsed("secret"),
            name: section.parsed("name").unwrap_or(default.name),
            ca_file: section.optional_text("ca_file"),
            hnsw: Hnsw::read(&section.section("hnsw", HNSW_KEYS)),
        }
    }
}

impl Hnsw {
    fn read(section: &Section<'_>) -> Self {
        let default = Hnsw::default();
        let m = section.number("m", 2..=100, default.m);
        let ef_construction = section.number("ef_construction", 32..=1000, default.ef_construction);
        if ef_construction < 2 * m {
            section.refuse("ef_construction", format!("must be at least twice m, which is {m}"));
        }
        Hnsw { m, ef_construction, ef_search: section.number("ef_search", 1..=1000, default.ef_search) }
    }
}

/// A name that every store takes without quoting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreName(String);

impl StoreName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StoreName {
    type Err = &'static str;

    /// # Errors
    /// Unless it is 1 to 40 characters of a-z, 0-9 and _, the first a letter.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        let letter_first = text.starts_with(|first: char| first.is_ascii_lowercase());
        match text.len() <= 40 && letter_first && text.bytes().all(allowed) {
            true => Ok(StoreName(text.to_owned())),
            false => Err("must be 1 to 40 characters of a-z, 0-9 and _, the first a letter"),
        }
    }
}

/// What a server of vectors speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreScheme {
    Redis,
    Postgres,
    Http,
}

/// Where a server of vectors listens: `redis(s)://[USER@]HOST[:PORT][/DB]`,
/// `postgres://[USER@]HOST[:PORT]/DB`, or `http(s)://HOST[:PORT]`. It never holds a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreUrl {
    pub scheme: StoreScheme,
    /// Whether the connection is encrypted. PostgreSQL's is unless the host is this machine.
    pub tls: bool,
    pub user: Option<String>,
    pub host: Host,
    pub port: Option<u16>,
    /// What follows the first slash; empty where there is none.
    pub database: String,
}

/// Why a URL was refused. Carries nothing of the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreUrlError {
    Scheme,
    Password,
    Malformed,
    NotEncrypted,
}

impl fmt::Display for StoreUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StoreUrlError::Scheme => "must begin with rediss://, postgres:// or https://",
            StoreUrlError::Password => "must not hold a password; refer to it under secret",
            StoreUrlError::Malformed => {
                "must be SCHEME://[USER@]HOST[:PORT][/DATABASE] in letters, digits, -, _ and ."
            }
            StoreUrlError::NotEncrypted => "only localhost may be reached without encryption",
        })
    }
}

impl FromStr for StoreUrl {
    type Err = StoreUrlError;

    /// # Errors
    /// See [`StoreUrlError`].
    fn from_str(text: &str) -> Result<Self, StoreUrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(StoreUrlError::Scheme)?;
        let (scheme, encrypted) = match scheme {
            "redis" => (StoreScheme::Redis, Some(false)),
            "rediss" => (StoreScheme::Redis, Some(true)),
            "postgres" | "postgresql" => (StoreScheme::Postgres, None),
            "http" => (StoreScheme::Http, Some(false)),
            "https" => (StoreScheme::Http, Some(true)),
            _ => return Err(StoreUrlError::Scheme),
        };
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, address) = match authority.rsplit_once('@') {
            Some((user, _)) if user.contains(':') => return Err(StoreUrlError::Password),
            Some((user, address)) => (Some(user), address),
            None => (None, authority),
        };
        let (host, port) = read_address(address)?;
        let is_word = |word: &str| !word.is_empty() && word.len() <= 63 && word.bytes().all(is_plain);
        if !user.is_none_or(is_word) || !(database.is_empty() || is_word(database)) {
            return Err(StoreUrlError::Malformed);
        }
        let local = is_local(&host);
        let tls = encrypted.unwrap_or(!local);
        if !tls && !local {
            return Err(StoreUrlError::NotEncrypted);
        }
        let (user, database) = (user.map(str::to_owned), database.to_owned());
        Ok(StoreUrl { scheme, tls, user, host, port, database })
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)
}

fn read_address(text: &str) -> Result<(Host, Option<u16>), StoreUrlError> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => (address, rest.strip_prefix(':')),
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = port.map(|port| port.parse().ok().filter(|port| *port > 0).ok_or(StoreUrlError::Malformed));
    let host = match host.parse::<IpAddr>() {
        Ok(address) => Host::Address(address),
        Err(_) if !host.is_empty() && host.len() <= 253 && host.bytes().all(is_plain) => {
            Host::Name(host.to_ascii_lowercase())
        }
        Err(_) => return Err(StoreUrlError::Malformed),
    };
    Ok((host, port.transpose()?))
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Name(name) => name == "localhost",
        Host::Address(address) => address.is_loopback(),
    }
}

#[cfg(test)]
#[path = "vector_store_tests.rs"]
mod tests;
