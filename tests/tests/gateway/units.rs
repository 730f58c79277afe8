//! What DynamoDB charges for a request in write units, as the embedded one counts them. A condition that
//! fails costs a unit as well. The sums are in infra/README.md.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use local::embedded::Embedded;
use serde_json::{Value, json};
use shared::aws::{Clients, DynamoAnswers, DynamoCounters, DynamoLedger};
use shared::domain::time::Timestamp;
use tests::{COMPLETIONS, Ports, Set, Setup, TestApp, User, question};

/// Units by table, and by index.
#[derive(Clone, Debug, Default)]
struct Units(Arc<Mutex<BTreeMap<String, u64>>>);

impl Units {
    fn add(&self, of: &str, units: &Value) {
        // Writes are charged in whole units.
        let units = units.as_f64().unwrap_or_default().round() as u64;
        *self.0.lock().expect("no panic").entry(of.to_owned()).or_default() += units;
    }

    fn answered(&self, table: &str, answer: &Value) {
        let used = &answer["ConsumedCapacity"];
        self.add(table, &used["Table"]["CapacityUnits"]);
        for (index, used) in used["GlobalSecondaryIndexes"].as_object().into_iter().flatten() {
            self.add(&format!("{table}/{index}"), &used["CapacityUnits"]);
        }
        if answer["__type"].as_str().is_some_and(|kind| kind.ends_with("ConditionalCheckFailedException")) {
            self.add(table, &json!(1));
        }
    }

    /// What was charged since, without the answer that is kept.
    fn take(&self) -> (u64, u64) {
        let taken = std::mem::take(&mut *self.0.lock().expect("no panic"));
        let sum = |is_index: bool| {
            let of = |name: &str| name.contains('/') == is_index && name != "cache";
            taken.iter().filter(|(name, _)| of(name)).map(|(_, units)| units).sum()
        };
        (sum(false), sum(true))
    }
}

/// The way to the embedded DynamoDB, which asks what each write costs.
#[derive(Debug)]
struct Meter {
    inner: SharedHttpConnector,
    units: Units,
}

impl HttpConnector for Meter {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        if ![".PutItem", ".UpdateItem", ".TransactWriteItems"].iter().any(|write| target.ends_with(write)) {
            return self.inner.call(request);
        }
        let mut asked: Value =
            serde_json::from_slice(request.body().bytes().unwrap_or_default()).expect("JSON");
        asked["ReturnConsumedCapacity"] = json!("INDEXES");
        let table = asked["TableName"].as_str().unwrap_or("several").to_owned();
        *request.body_mut() = SdkBody::from(asked.to_string());
        let (called, units) = (self.inner.call(request), self.units.clone());
        HttpConnectorFuture::new(async move {
            let answer = called.await?;
            let told = serde_json::from_slice(answer.body().bytes().unwrap_or_default()).unwrap_or_default();
            units.answered(&table, &told);
            Ok(answer)
        })
    }
}

/// A gateway whose money and answers are in DynamoDB, and what that has charged.
async fn metered() -> (TestApp, Units) {
    let (embedded, units) = (Embedded::open(None).await.expect("a database in memory"), Units::default());
    let (inner, counted) = (embedded.http_client().clone(), units.clone());
    let http = http_client_fn(move |settings, components| {
        let inner = inner.http_connector(settings, components);
        SharedHttpConnector::new(Meter { inner, units: counted.clone() })
    });
    let clients = Clients::new(&Embedded::config(), &http, Embedded::patience());
    let tables = Embedded::tables();
    let setup = Setup::new(json!({}));
    let ports = Ports {
        counters: Arc::new(DynamoCounters::new(clients.clone(), tables.budgets.clone())),
        ledger: Arc::new(DynamoLedger::new(clients.clone(), tables.ledger, tables.budgets)),
        answers: Arc::new(DynamoAnswers::new(clients, tables.cache)),
        ..Ports::of(&setup.store)
    };
    let clock = Arc::new(Set::at(Timestamp::from_millis(1_800_000_000_000)));
    (Setup { ports: Some(ports), clock, ..setup }.start().await, units)
}

async fn ask(gateway: &TestApp, user: &User, n: usize) {
    let mut body = question("demo/ok", false);
    body["messages"][0]["content"] = json!(format!("Question {n}"));
    body["user"] = json!("ada");
    let bearer = user.bearer();
    let headers = [("authorization", bearer.as_str()), ("x-tollgate-session", "s")];
    let reply = gateway.send(http::Method::POST, COMPLETIONS, &headers, body.to_string()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

/// What asking costs in units of tables and of the index.
async fn charged((gateway, units): (&TestApp, &Units), user: &User, n: usize, what: &str) -> (u64, u64) {
    units.take();
    ask(gateway, user, n).await;
    let (tables, index) = units.take();
    println!("{what}: {tables} write units of tables, {index} of the index");
    (tables, index)
}

#[tokio::test]
async fn a_request_of_one_scope_costs_five_units_at_most_and_an_exact_hit_two() {
    let (gateway, units) = metered().await;
    let user = gateway.user(json!({ "tenant": "acme", "budgetUsd": "5" })).await;
    // The first opens its counter.
    ask(&gateway, &user, 0).await;
    let (tables, index) = charged((&gateway, &units), &user, 1, "one scope").await;
    assert!(tables > 2 && index > 0 && tables + index <= 5, "{tables} and {index}");
    let hit = charged((&gateway, &units), &user, 1, "an exact hit").await;
    assert_eq!(hit, (1, 1), "its key has no rate, so that its state is read");
}

#[tokio::test]
async fn a_request_of_five_scopes_costs_fourteen_units_at_most() {
    let (gateway, units) = metered().await;
    let user = gateway.user(json!({ "tenant": "acme", "team": "search", "budgetUsd": "5" })).await;
    let cap = json!({ "budgets": [{ "capUsd": "5", "period": "month" }] });
    for (path, body) in [
        ("team/search", json!({ "tenant": "acme", "budgetUsd": "5" })),
        ("user/ada", json!({ "tenant": "acme", "budgetUsd": "5" })),
        ("tenant/acme", json!({ "budgetUsd": "5", "eachSession": cap })),
    ] {
        let set = gateway.ask_admin("PUT", &format!("/admin/budgets/{path}"), Some(body)).await;
        assert_eq!(set.status, 200, "{}", set.text());
    }
    ask(&gateway, &user, 0).await;
    let (tables, index) = charged((&gateway, &units), &user, 1, "five scopes").await;
    assert!(tables > 10 && index > 0 && tables + index <= 14, "{tables} and {index}");
}
