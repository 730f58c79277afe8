//! The only file of this module that touches the disk.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::{Config, ConfigErrors, Prices};

/// Why a configuration file could not be used.
#[derive(Debug)]
pub enum LoadError {
    /// The file could not be read.
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file was read and refused.
    Invalid {
        /// The file.
        path: PathBuf,
        /// All that is wrong with it.
        faults: ConfigErrors,
    },
}

/// Reads `ai-gateway.json`.
///
/// # Errors
/// [`LoadError`], which names the file and every fault in it.
pub fn load(path: &Path) -> Result<Config, LoadError> {
    read(path, Config::parse)
}

/// Reads `prices.json`.
///
/// # Errors
/// [`LoadError`], which names the file and every fault in it.
pub fn load_prices(path: &Path) -> Result<Prices, LoadError> {
    read(path, Prices::parse)
}

fn read<T>(path: &Path, parse: fn(&str) -> Result<T, ConfigErrors>) -> Result<T, LoadError> {
    let named = || path.to_path_buf();
    let text = std::fs::read_to_string(path).map_err(|source| LoadError::Read { path: named(), source })?;
    parse(&text).map_err(|faults| LoadError::Invalid { path: named(), faults })
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Read { path, source } => write!(f, "{}: {source}", path.display()),
            LoadError::Invalid { path, faults } => {
                write!(f, "{} is not valid:\n{faults}", path.display())
            }
        }
    }
}

impl std::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LoadError::Read { source, .. } => Some(source),
            LoadError::Invalid { faults, .. } => Some(faults),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../config");

    #[test]
    fn the_shipped_files_are_loaded() {
        let config = load(&Path::new(FOLDER).join("ai-gateway.json")).expect("configuration");
        let prices = load_prices(&Path::new(FOLDER).join("prices.json")).expect("prices");
        for model in config.routing.chain() {
            let priced = prices.rows().iter().any(|row| row.model == model.as_str());
            assert!(priced, "{model} has no price");
        }
    }

    #[test]
    fn an_error_names_the_file() {
        let absent = load(&Path::new(FOLDER).join("absent.json")).expect_err("no such file");
        assert!(absent.to_string().contains("absent.json: "), "{absent}");
        let other = load(&Path::new(FOLDER).join("prices.json")).expect_err("another file");
        assert!(other.to_string().contains("prices.json is not valid:\nnote: "), "{other}");
    }
}
