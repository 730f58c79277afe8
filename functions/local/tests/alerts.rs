//! `tollgate dev` by its own schedule: a budget that is driven to refusal, and the operator's webhook.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// The schedule fires at the start and then each minute.
const PATIENCE: Duration = Duration::from_secs(100);

/// Ends the gateway whatever becomes of the test.
struct Gateway(Child);

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A webhook that hands on what it is told, after it has refused the first.
fn webhook() -> (String, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("bound"));
    let (told, taken) = channel();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.expect("a connection");
            let (_, body) = message(&mut stream);
            let status = if number == 0 { "503 Busy" } else { "200 OK" };
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).expect("it listens");
            // At the end of the test nobody listens.
            if number > 0 && told.send(body).is_err() {
                return;
            }
        }
    });
    (url, taken)
}

/// The first line of an HTTP message, and its body of JSON.
fn message(stream: &mut TcpStream) -> (String, Value) {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).expect("a line");
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        let line = line.trim().to_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(number) = line.strip_prefix("content-length:") {
            length = number.trim().parse().expect("a number");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    (first, serde_json::from_slice(&body).expect("JSON"))
}

fn post(url: &str, path: &str, token: &str, body: &Value) -> (u16, Value) {
    let (host, body) = (url.trim_start_matches("http://"), body.to_string());
    let mut stream = TcpStream::connect(host).expect("it listens");
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(format!("{head}{body}").as_bytes()).expect("it listens");
    let (first, answer) = message(&mut stream);
    (first.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status"), answer)
}

fn start(folder: &Path, hook: &str) -> (Gateway, String) {
    let config =
        json!({ "alerts": { "webhooks": [{ "url": hook }] }, "observability": { "log_level": "warn" } });
    fs::write(folder.join("config.json"), config.to_string()).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.args(["dev", "--port", "0", "--store", "memory", "--data", "data", "--config", "config.json"]);
    let mut child = command.current_dir(folder).stdout(Stdio::piped()).spawn().expect("tollgate runs");
    let output = BufReader::new(child.stdout.take().expect("piped"));
    let gateway = Gateway(child);
    let mut lines = output.lines().map(|line| line.expect("UTF-8"));
    let url = lines.find_map(|line| line.strip_prefix("ready ").map(str::to_owned)).expect("it serves");
    (gateway, url)
}

#[test]
fn a_budget_driven_to_refusal_is_told_at_50_80_and_100_once_each() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("alerts");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    let (hook, told) = webhook();
    let (_gateway, url) = start(&folder, &hook);
    let admin_key = fs::read_to_string(folder.join("data/admin-key")).expect("it was made");
    let fields = json!({ "name": "ci", "tenant": "acme", "budgetUsd": "0.001", "period": "total" });
    let (status, made) = post(&url, "/admin/keys", admin_key.trim(), &fields);
    assert_eq!(status, 201, "{made}");
    let key = made["key"].as_str().expect("a key");
    let mut statuses = Vec::new();
    while statuses.last() != Some(&402) {
        assert!(statuses.len() < 100, "the budget never refuses");
        let messages = json!([{ "role": "user", "content": format!("question {}", statuses.len()) }]);
        let question =
            json!({ "model": "demo/tokens-50", "messages": messages, "max_tokens": 60, "stream": false });
        statuses.push(post(&url, "/v1/chat/completions", key, &question).0);
    }
    assert!(statuses.len() > 3, "{statuses:?}");
    let mut thresholds: Vec<u64> = (0..3)
        .map(|_| told.recv_timeout(PATIENCE).expect("told in time"))
        .map(|alert| {
            assert_eq!((&alert["kind"], &alert["tenant"]), (&json!("budget"), &json!("acme")), "{alert}");
            alert["thresholdPpm"].as_u64().expect("a threshold")
        })
        .collect();
    thresholds.sort_unstable();
    assert_eq!(thresholds, [500_000, 800_000, 1_000_000]);
    assert!(told.recv_timeout(Duration::from_secs(5)).is_err(), "each is told once");
}
