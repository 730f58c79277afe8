//! A gateway of this machine, as a process of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// A running `tollgate dev` with everything in memory, ended with its test.
pub(crate) struct Gateway {
    process: Child,
    pub(crate) url: String,
    folder: PathBuf,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Gateway {
    pub(crate) fn start(test: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("admin").join(test);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        command.args(["dev", "--port", "0", "--store", "memory", "--data", "data"]).current_dir(&folder);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("tollgate runs");
        let output = BufReader::new(process.stdout.take().expect("its output"));
        let mut lines = output.lines().map_while(Result::ok);
        let url = lines.find_map(|line| line.strip_prefix("ready ").map(str::to_owned)).expect("it serves");
        Gateway { process, url, folder }
    }

    fn run(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        command.args(words).args(["--url", &self.url, "--data", "data"]).current_dir(&self.folder);
        command.env("TOLLGATE_ACTOR", "ada").output().expect("tollgate runs")
    }

    /// What a program reads.
    pub(crate) fn document(&self, words: &[&str]) -> Value {
        let output = self.run(&[words, &["--json"]].concat());
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("one JSON document")
    }

    /// What people read: the lines, each as its words.
    pub(crate) fn table(&self, words: &[&str]) -> Vec<Vec<String>> {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        text.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
    }

    pub(crate) fn refused(&self, words: &[&str]) -> (Option<i32>, String) {
        let output = self.run(words);
        (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
    }

    pub(crate) fn admin_key(&self) -> String {
        let text = fs::read_to_string(self.folder.join("data/admin-key")).expect("an admin key");
        text.trim().to_owned()
    }
}
