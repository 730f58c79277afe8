//! Every input that the fuzzer begins with, and every one that it broke something with.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use dialects::targets::TARGETS;

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

/// The names in a folder, without their endings.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("readable").path());
    paths.filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned())).collect()
}

#[test]
fn no_input_of_the_corpus_breaks_its_target() {
    for (name, target) in TARGETS {
        let folder = project().join("corpus").join(name);
        let inputs = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut seen = 0;
        for input in inputs {
            let path = input.expect("readable").path();
            // Names the input that breaks the target; it is shown with the failure alone.
            println!("{}", path.display());
            target(&fs::read(&path).expect("readable"));
            seen += 1;
        }
        assert!(seen > 0, "{name} begins with nothing");
    }
}

#[test]
fn every_target_has_its_corpus_and_its_binary() {
    let known: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&project().join("corpus")), known);
    assert_eq!(names(&project().join("fuzz_targets")), known);
    let manifest = fs::read_to_string(project().join("Cargo.toml")).expect("the manifest");
    for name in &known {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name} has no binary");
        let binary = fs::read_to_string(project().join(format!("fuzz_targets/{name}.rs"))).expect("a binary");
        assert!(binary.contains(&format!("run(\"{name}\", data)")), "{name} runs another target");
    }
}
