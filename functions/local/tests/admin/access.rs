//! Who may call which route: every route of every function, with everything that a caller may come with.

use reqwest::{Client, Method};
use serde_json::{Value, json};
use shared::client::{Reach, client};
use shared::domain::key;

use super::gateway::Gateway;

/// What a route takes. Whatever it does not take is answered 401 or 403.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    Anything,
    /// The key of a tenant, or a browser-safe token of it.
    KeyOrToken,
    Key,
    KeyOrAdmin,
    Admin,
}

/// The rule of a route; a new one must get its rule here.
fn rule(route: &str) -> Takes {
    match route {
        "/health" | "/dashboard" | "/dashboard/{file}" => Takes::Anything,
        "/v1/chat" | "/v1/chat/completions" | "/v1/responses" | "/v1/embeddings" | "/v1/models" => {
            Takes::KeyOrToken
        }
        "/v1/messages" | "/v1/messages/count_tokens" => Takes::KeyOrToken,
        "/v1/tokens" | "/v1/cache/lookup" => Takes::Key,
        "/v1/usage" | "/v1/requests/{id}" | "/v1/cache/invalidate" | "/v1/cache/stats" => Takes::KeyOrAdmin,
        route if route.starts_with("/admin/") => Takes::Admin,
        route => panic!("{route} has no rule of who may call it"),
    }
}

/// What callers come with.
struct Credentials {
    key: String,
    token: String,
    admin: String,
    /// Each with what is wrong with it.
    worthless: Vec<(&'static str, Option<String>)>,
}

impl Takes {
    fn admits(self, credentials: &Credentials) -> Vec<&str> {
        let Credentials { key, token, admin, .. } = credentials;
        match self {
            Takes::Anything => vec![key, token, admin],
            Takes::KeyOrToken => vec![key, token],
            Takes::Key => vec![key],
            Takes::KeyOrAdmin => vec![key, admin],
            Takes::Admin => vec![admin],
        }
    }
}

fn routes() -> Vec<(&'static str, &'static str)> {
    [chat::ROUTES, usage::ROUTES, cache::ROUTES, admin::ROUTES].concat()
}

struct Caller {
    client: Client,
    url: String,
}

impl Caller {
    async fn call(&self, method: &str, path: &str, credential: Option<&str>, body: &Value) -> (u16, String) {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.client.request(method, format!("{}{path}", self.url)).body(body.to_string());
        if let Some(credential) = credential {
            request = request.bearer_auth(credential);
        }
        let response = request.send().await.expect("an answer");
        (response.status().as_u16(), response.text().await.expect("a body"))
    }
}

/// A key, a token of it, and what looks like one and is worth nothing.
async fn credentials(gateway: &Gateway, caller: &Caller) -> Credentials {
    let make = |name: &str| {
        let made = gateway.document(&["keys", "create", "--name", name, "--tenant", "acme"]);
        ["id", "key"].map(|field| made[field].as_str().expect("text").to_owned())
    };
    let ([_, key], [gone, revoked]) = (make("caller"), make("gone"));
    let minted = caller.call("POST", "/v1/tokens", Some(&key), &json!({ "userId": "ada" })).await;
    let minted: Value = serde_json::from_str(&minted.1).expect("a document");
    let token = minted["token"].as_str().expect("a token").to_owned();
    gateway.document(&["keys", "revoke", &gone]);
    let (_, unknown) = key::generate(&[7; 52]);
    let forged =
        format!("{}{}", &token[..token.len() - 4], if token.ends_with("AAAA") { "BBBB" } else { "AAAA" });
    let admin = gateway.admin_key();
    let worthless = vec![
        ("nothing", None),
        ("an empty key", Some(String::new())),
        ("no key at all", Some("sk-0123456789".to_owned())),
        ("a key that was never made", Some(unknown)),
        ("a revoked key", Some(revoked)),
        ("a forged token", Some(forged)),
        ("another admin key", Some(format!("tga_{}", "0".repeat(64)))),
        ("a part of the admin key", Some(admin[..admin.len() - 1].to_owned())),
    ];
    Credentials { key, token, admin, worthless }
}

/// A path of the route, about things that are nobody's.
fn path(route: &str) -> String {
    route.replace("{scope}", "tenant").replace("{id}", "nobody").replace("{file}", "app.js")
}

#[tokio::test]
async fn every_route_takes_what_its_rule_says_and_nothing_else() {
    let gateway = Gateway::start("access");
    let caller = Caller { client: client(Reach::Any).expect("a client"), url: gateway.url.clone() };
    let credentials = credentials(&gateway, &caller).await;
    let good = [&credentials.key, &credentials.token, &credentials.admin];
    // What changes nothing even where it is let in.
    let body = json!({ "nonsense": true });
    let before = gateway.document(&["audit", "list"]);
    for (method, route) in routes() {
        let (takes, path) = (rule(route), path(route));
        let admitted = takes.admits(&credentials);
        for credential in good {
            let (status, text) = caller.call(method, &path, Some(credential), &body).await;
            let is_in = ![401, 403].contains(&status);
            assert_eq!(is_in, admitted.contains(&credential.as_str()), "{method} {route} {status}: {text}");
            assert!(!text.contains(credential.as_str()), "{method} {route} repeats what it was sent");
        }
        if takes == Takes::Anything {
            continue;
        }
        for (what, credential) in &credentials.worthless {
            for path in [path.clone(), format!("{path}/")] {
                let (status, text) = caller.call(method, &path, credential.as_deref(), &body).await;
                assert_eq!(status, 401, "{method} {path} with {what}: {text}");
            }
        }
    }
    assert_eq!(gateway.document(&["audit", "list"]), before, "nothing was changed");
}

#[test]
fn a_route_without_a_rule_is_found_out() {
    let unknown = std::panic::catch_unwind(|| rule("/v2/everything"));
    assert!(unknown.is_err());
}
