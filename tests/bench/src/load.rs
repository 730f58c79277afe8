//! The client: N kept connections, each asking again as soon as it has its answer.
//!
//! A plan is `{"url", "token", "body", "connections", "seconds", "first"}`; `@` in the body becomes
//! a number that counts up from `first`, so that no two requests are the same; without it all are.
//! The result is one line of JSON.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::try_join_all;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::server::Outcome;

type Fault = Box<dyn std::error::Error + Send + Sync>;

struct Plan {
    authority: String,
    path: String,
    bearer: String,
    /// With `@` where the number goes.
    body: String,
    next: AtomicU64,
    until: Instant,
}

/// What one request took, in microseconds.
struct Took {
    first_token: u64,
    whole: u64,
    hit: bool,
}

pub(crate) async fn run(file: &str) -> Outcome {
    let plan: Value = serde_json::from_slice(&std::fs::read(file)?)?;
    let text = |name: &str| plan[name].as_str().unwrap_or_default();
    let uri: http::Uri = text("url").parse()?;
    let connections = plan["connections"].as_u64().unwrap_or(1);
    let began = Instant::now();
    let plan = Arc::new(Plan {
        authority: uri.authority().ok_or("the url has no host")?.to_string(),
        path: uri.path().to_owned(),
        bearer: format!("Bearer {}", text("token")),
        body: text("body").to_owned(),
        next: AtomicU64::new(plan["first"].as_u64().unwrap_or(0)),
        until: began + Duration::from_secs_f64(plan["seconds"].as_f64().unwrap_or(1.0)),
    });
    let took: Vec<Took> =
        try_join_all((0..connections).map(|_| connection(&plan))).await?.into_iter().flatten().collect();
    println!("{}", summary(&took, began.elapsed()));
    Ok(())
}

async fn connection(plan: &Plan) -> Result<Vec<Took>, Fault> {
    let stream = TcpStream::connect(&plan.authority).await?;
    stream.set_nodelay(true)?;
    let (mut sender, driver) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move { driver.await.unwrap_or_default() });
    let mut all = Vec::new();
    while Instant::now() < plan.until {
        all.push(ask(&mut sender, plan).await?);
    }
    Ok(all)
}

/// One request. Any answer but a complete 200 ends the run: a figure over failures means nothing.
async fn ask(sender: &mut SendRequest<Full<Bytes>>, plan: &Plan) -> Result<Took, Fault> {
    let number = plan.next.fetch_add(1, Ordering::Relaxed);
    let body = Bytes::from(plan.body.replacen('@', &number.to_string(), 1));
    let request = Request::post(&plan.path)
        .header(HOST, &plan.authority)
        .header(AUTHORIZATION, &plan.bearer)
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(body))?;
    let began = Instant::now();
    let micros = |began: Instant| u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    sender.ready().await?;
    let mut response = sender.send_request(request).await?;
    let status = response.status();
    let hit = response.headers().get("x-tollgate-cache").is_some_and(|word| word == "exact");
    let (mut first_token, mut last) = (None, Bytes::new());
    while let Some(frame) = response.frame().await {
        if let Ok(data) = frame?.into_data() {
            if first_token.is_none() && holds_token(&data) {
                first_token = Some(micros(began));
            }
            last = data;
        }
    }
    match first_token {
        Some(first_token) if status == 200 => Ok(Took { first_token, whole: micros(began), hit }),
        _ => Err(format!("answered {status}: {}", String::from_utf8_lossy(&last)).into()),
    }
}

/// Whether a frame carries the word that the upstream's answer is made of.
fn holds_token(data: &[u8]) -> bool {
    data.windows(7).any(|window| window == b"\" token")
}

fn summary(took: &[Took], elapsed: Duration) -> Value {
    let sorted = |of: fn(&Took) -> u64| {
        let mut values: Vec<u64> = took.iter().map(of).collect();
        values.sort_unstable();
        values
    };
    let at = |values: &[u64], percent: usize| values.get(values.len() * percent / 100).copied().unwrap_or(0);
    let (first, whole) = (sorted(|took| took.first_token), sorted(|took| took.whole));
    json!({
        "requests": took.len(),
        "hits": took.iter().filter(|took| took.hit).count(),
        "seconds": elapsed.as_secs_f64(),
        "p50": at(&whole, 50),
        "p99": at(&whole, 99),
        "first_p50": at(&first, 50),
        "first_p99": at(&first, 99),
    })
}
