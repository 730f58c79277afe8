//! The commands of an admin, against a gateway of this machine.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

/// A running `tollgate dev` with everything in memory, ended with its test.
struct Gateway {
    process: Child,
    url: String,
    folder: PathBuf,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Gateway {
    fn start(test: &str) -> Self {
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
    fn document(&self, words: &[&str]) -> Value {
        let output = self.run(&[words, &["--json"]].concat());
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("one JSON document")
    }

    /// What people read: the lines, each as its words.
    fn table(&self, words: &[&str]) -> Vec<Vec<String>> {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        text.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
    }

    fn refused(&self, words: &[&str]) -> (Option<i32>, String) {
        let output = self.run(words);
        (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
    }
}

#[test]
fn an_admin_makes_changes_and_finds_them_in_the_log() {
    let gateway = Gateway::start("changes");
    let create =
        ["keys", "create", "--name", "ci", "--tenant", "acme", "--team", "search", "--budget-usd", "2"];
    let made = gateway.document(&create);
    let id = made["id"].as_str().expect("an id");
    let update =
        ["keys", "update", id, "--name", "nightly", "--no-team", "--models", "demo/ok,demo/tokens-9"];
    let updated = gateway.document(&update);
    assert_eq!((&updated["name"], &updated["team"]), (&json!("nightly"), &Value::Null));
    assert_eq!(updated["models"], json!(["demo/ok", "demo/tokens-9"]));
    assert_eq!(gateway.document(&["keys", "show", id]), updated);
    let opened = gateway.document(&["keys", "update", id, "--all-models"]);
    assert_eq!((&opened["name"], &opened["models"]), (&json!("nightly"), &Value::Null));
    gateway.document(&["budgets", "set", "tenant", "acme", "--budget", "5/day"]);
    gateway.document(&["keys", "revoke", id]);

    let tenants = gateway.table(&["tenants", "list"]);
    assert_eq!(tenants[0], ["TENANT", "KEYS", "TEAMS", "USERS", "BUDGETS", "STATE"]);
    assert_eq!(tenants[1], ["acme", "0", "0", "0", "5/day", "active"]);
    let keys = gateway.document(&["keys", "list", "--tenant", "acme"]);
    assert_eq!((keys["keys"].as_array().map(Vec::len), &keys["next"]), (Some(1), &Value::Null));
    assert!(
        gateway.table(&["tenants", "show", "acme"]).iter().any(|row| row.first().is_some_and(|at| at == id))
    );

    let entries = gateway.document(&["audit", "list", "--subject", &format!("key/{id}")]);
    let actions: Vec<&str> = entries["entries"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|entry| entry["action"].as_str())
        .collect();
    assert_eq!(actions, ["key.revoke", "key.update", "key.update", "key.create"]);
    let newest = gateway.table(&["audit", "list", "--limit", "1"]);
    assert_eq!(newest[1][1..], ["ada", "127.0.0.1", "key.revoke", format!("key/{id}").as_str(), "done"]);
    assert_eq!(newest.len(), 2);
}

#[test]
fn a_refusal_says_why_and_wrong_use_is_told_apart_from_it() {
    let gateway = Gateway::start("refusals");
    let (code, why) = gateway.refused(&["keys", "show", "nobody"]);
    assert_eq!((code, why.contains("there is no key \"nobody\"")), (Some(1), true), "{why}");
    let (code, why) = gateway.refused(&["audit", "list", "--since", "yesterday"]);
    assert_eq!((code, why.contains("since must be a time")), (Some(1), true), "{why}");
    let (code, why) = gateway.refused(&["keys", "update", "x"]);
    assert_eq!((code, why.contains("at least one of name, team and models")), (Some(1), true), "{why}");
    for wrong in [&["keys", "update", "x", "--team", "a", "--no-team"][..], &["teams"], &["audit", "show"]] {
        assert_eq!(gateway.refused(wrong).0, Some(2), "{wrong:?}");
    }
}
