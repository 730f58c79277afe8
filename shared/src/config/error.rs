//! What is wrong with a configuration: every fault with its place, all of them together.

use std::cell::RefCell;
use std::fmt;

/// One fault of a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The place in the document, `routing.fallbacks[1]`; `$` is the document itself.
    pub path: String,
    /// What is wrong there and what would be right. Never quotes a value that may be a secret.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// All faults of one configuration file, in the order of their paths; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, error) in self.0.iter().enumerate() {
            if position > 0 {
                writeln!(f)?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// Collects faults while parsing goes on with defaults, so that one run names them all. Shared by
/// every section, hence the cell.
#[derive(Debug, Default)]
pub(super) struct Faults(RefCell<Vec<ConfigError>>);

impl Faults {
    pub(super) fn add(&self, path: &str, message: impl Into<String>) {
        let (path, message) = (path.to_owned(), message.into());
        self.0.borrow_mut().push(ConfigError { path, message });
    }

    /// `value` when nothing was found wrong with it.
    ///
    /// # Errors
    /// All faults collected, when there are any.
    pub(super) fn or<T>(self, value: T) -> Result<T, ConfigErrors> {
        let mut faults = self.0.into_inner();
        if faults.is_empty() {
            return Ok(value);
        }
        faults.sort_by(|a, b| (&a.path, &a.message).cmp(&(&b.path, &b.message)));
        faults.dedup();
        Err(ConfigErrors(faults))
    }
}
