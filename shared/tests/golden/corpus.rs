//! The files of the corpus.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// One case.
pub(crate) struct Case {
    /// The file's name without its extension.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// The files of `folder` whose names end in `.extension`, in order.
pub(crate) fn files(folder: &Path, extension: &str) -> Vec<Case> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("a readable folder").path());
    let mut cases: Vec<Case> = paths
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .map(|path| Case { name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), path })
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

impl Case {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs::read(&self.path).unwrap_or_else(|error| panic!("{}: {error}", self.path.display()))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes())
            .unwrap_or_else(|error| panic!("{}: {error}", self.path.display()))
    }
}
