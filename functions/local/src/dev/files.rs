//! The files of a gateway on a laptop: configuration, prices, and the secrets it makes itself.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use admin::Files;
use shared::config::{self, Config, Prices};
use shared::domain::key::{Pepper, hex};

const DEFAULT_CONFIG: &str = "config/ai-gateway.json";
const DEFAULT_PRICES: &str = "config/prices.json";
const DEFAULT_CHARTS: &str = ".tools/charts";
const BUILT_IN_PRICES: &str = include_str!("../../../../config/prices.json");

pub(super) fn config(path: Option<&Path>) -> Result<Config, String> {
    match path.or_else(|| existing(DEFAULT_CONFIG)) {
        Some(path) => config::load(path).map_err(|error| error.to_string()),
        None => Ok(Config::default()),
    }
}

pub(crate) fn prices(path: Option<&Path>) -> Result<Prices, String> {
    match path.or_else(|| existing(DEFAULT_PRICES)) {
        Some(path) => config::load_prices(path).map_err(|error| error.to_string()),
        None => Prices::parse(BUILT_IN_PRICES).map_err(|faults| faults.to_string()),
    }
}

/// The dashboard, with its charts where their library is found.
pub(super) fn dashboard(library: Option<&Path>) -> Files {
    Files::load(Some(library.unwrap_or(Path::new(DEFAULT_CHARTS))))
}

fn existing(path: &'static str) -> Option<&'static Path> {
    Some(Path::new(path)).filter(|path| path.is_file())
}

/// Secrets of this data directory, made at the first start and readable by their owner only.
pub struct Secrets {
    pub pepper: Pepper,
    pub admin_key: String,
}

impl Secrets {
    /// # Errors
    /// When the directory cannot be made or a secret cannot be read or written.
    pub fn open(data: &Path) -> Result<Self, String> {
        fs::create_dir_all(data).map_err(|error| format!("cannot make {}: {error}", data.display()))?;
        let pepper = keep(&data.join("pepper"), || hex(&random()))?;
        let admin_key = keep(&data.join("admin-key"), || format!("tga_{}", hex(&random())))?;
        Ok(Secrets { pepper: Pepper { version: 1, secret: pepper.into_bytes() }, admin_key })
    }
}

/// Reads a one-line file, or makes it.
pub(super) fn keep(path: &Path, make: impl FnOnce() -> String) -> Result<String, String> {
    let wrong = |error: std::io::Error| format!("{}: {error}", path.display());
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let text = make();
            let mut file =
                fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(wrong)?;
            writeln!(file, "{text}").map_err(wrong)?;
            Ok(text)
        }
        Err(error) => Err(wrong(error)),
    }
}

fn random() -> [u8; 32] {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).expect("the operating system provides randomness");
    bytes
}
