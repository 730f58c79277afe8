//! Snapshots of one folder, compared or written anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use super::corpus::{files, root};

const EXTENSION: &str = "snap";
const REWRITE: &str = "UPDATE_GOLDEN=1 cargo test -p shared --test golden";

/// The snapshots of one folder. Nothing is judged before [`Snapshots::finish`], so that one run
/// tells of every difference.
pub(crate) struct Snapshots {
    folder: PathBuf,
    rewrites: bool,
    seen: BTreeSet<String>,
    faults: Vec<String>,
}

/// Text in sections, each under its own headline.
#[derive(Default)]
pub(crate) struct Sections(String);

impl Sections {
    pub(crate) fn push(&mut self, title: &str, text: &str) {
        let gap = if self.0.is_empty() { "" } else { "\n" };
        self.0 += &format!("{gap}# {title}\n{}\n", text.trim_end_matches('\n'));
    }
}

pub(crate) fn is_rewriting() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1")
}

impl Snapshots {
    /// Those of a folder of the corpus.
    pub(crate) fn of(folder: &str) -> Self {
        Snapshots {
            folder: root().join(folder),
            rewrites: is_rewriting(),
            seen: BTreeSet::new(),
            faults: Vec::new(),
        }
    }

    pub(crate) fn check(&mut self, name: &str, sections: &Sections) {
        assert!(self.seen.insert(name.to_owned()), "two snapshots are called {name}");
        let path = self.folder.join(name).with_extension(EXTENSION);
        match fs::read_to_string(&path) {
            Ok(reviewed) if reviewed == sections.0 => {}
            _ if self.rewrites => fs::write(&path, &sections.0).expect("a writable folder"),
            Ok(reviewed) => self.faults.push(format!("{name}: {}", difference(&reviewed, &sections.0))),
            Err(error) => self.faults.push(format!("{}: {error}", path.display())),
        }
    }

    /// # Panics
    /// When a snapshot differs, is missing, or is nobody's.
    pub(crate) fn finish(mut self) {
        assert!(!self.seen.is_empty(), "{} holds no case", self.folder.display());
        for orphan in files(&self.folder, EXTENSION).iter().filter(|file| !self.seen.contains(&file.name)) {
            match self.rewrites {
                true => fs::remove_file(&orphan.path).expect("a writable folder"),
                false => self.faults.push(format!("{}: no case of this name", orphan.path.display())),
            }
        }
        let faults = self.faults.join("\n\n");
        assert!(self.faults.is_empty(), "{faults}\n\nto write the snapshots anew: {REWRITE}");
    }
}

/// The first line that differs, under the headline of its section.
fn difference(reviewed: &str, found: &str) -> String {
    let mut section = "";
    let mut lines = (reviewed.lines(), found.lines());
    loop {
        match (lines.0.next(), lines.1.next()) {
            (Some(old), Some(new)) if old == new => {
                section = if old.starts_with("# ") { old } else { section };
            }
            (None, None) => return "the end of the text".to_owned(),
            (old, new) => {
                let line = |line: Option<&str>| line.unwrap_or("(the end)").to_owned();
                return format!("{section}\n- {}\n+ {}", line(old), line(new));
            }
        }
    }
}

#[test]
fn the_first_difference_is_told_with_its_section() {
    let mut old = Sections::default();
    old.push("a", "1");
    old.push("b", "2");
    let mut new = Sections::default();
    new.push("a", "1");
    new.push("b", "3");
    assert_eq!(difference(&old.0, &new.0), "# b\n- 2\n+ 3");
}

/// Snapshots that are compared, whatever the environment says.
fn compared() -> Snapshots {
    Snapshots { rewrites: false, ..Snapshots::of("errors") }
}

#[test]
#[should_panic(expected = "no case of this name")]
fn a_snapshot_that_lost_its_case_is_refused() {
    let mut snapshots = compared();
    snapshots.seen.insert("the only case".to_owned());
    snapshots.finish();
}

#[test]
#[should_panic(expected = "to write the snapshots anew")]
fn a_missing_snapshot_is_refused() {
    let mut snapshots = compared();
    snapshots.check("never written", &Sections::default());
    snapshots.finish();
}
