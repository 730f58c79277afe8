//! Sessions of the dashboard, and what they may do.

use serde_json::json;
use tests::{Reply, TestApp};

const KEY: (&str, &str) = ("authorization", "Bearer an admin key for tests");

async fn call(gateway: &TestApp, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
    gateway.ask_admin_as(method, path, headers, Some(json!({ "name": "made" }))).await
}

/// The cookie as a browser sends it back, and the proof.
async fn signed_in(gateway: &TestApp) -> (String, String) {
    let begun = call(gateway, "POST", "/admin/session", &[KEY]).await;
    assert_eq!((begun.status, begun.header("cache-control")), (201, "no-store"), "{}", begun.text());
    let cookie = begun.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
    (cookie, begun.json()["csrf"].as_str().expect("a proof").to_owned())
}

#[tokio::test]
async fn a_session_reads_and_changes_only_with_its_proof() {
    let gateway = TestApp::start(json!({})).await;
    let (cookie, proof) = signed_in(&gateway).await;
    let cookie = ("cookie", cookie.as_str());
    assert_eq!(call(&gateway, "GET", "/admin/keys", &[cookie]).await.status, 200);
    let shown = call(&gateway, "GET", "/admin/session", &[cookie]).await;
    assert_eq!(shown.json()["csrf"], proof);
    let (_, other) = signed_in(&gateway).await;
    for wrong in [None, Some(""), Some(other.as_str()), Some(&proof[1..])] {
        let headers: Vec<(&str, &str)> =
            wrong.map(|proof| ("x-tollgate-csrf", proof)).into_iter().chain([cookie]).collect();
        assert_eq!(call(&gateway, "POST", "/admin/keys", &headers).await.status, 401, "{wrong:?}");
    }
    let proved = [cookie, ("x-tollgate-csrf", proof.as_str())];
    assert_eq!(call(&gateway, "POST", "/admin/keys", &proved).await.status, 201);
    assert_eq!(call(&gateway, "GET", "/admin/keys", &[("x-tollgate-csrf", &proof)]).await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn a_session_cannot_begin_another_and_a_wrong_key_is_not_made_right_by_one() {
    let gateway = TestApp::start(json!({})).await;
    let (cookie, proof) = signed_in(&gateway).await;
    let own = [("cookie", cookie.as_str()), ("x-tollgate-csrf", proof.as_str())];
    let began = tokio::time::Instant::now();
    assert_eq!(call(&gateway, "POST", "/admin/session", &own).await.status, 401);
    assert!(began.elapsed() >= std::time::Duration::from_millis(500), "a guess takes its time");
    for wrong in [("authorization", "Bearer wrong"), ("authorization", "Basic x"), ("x-api-key", "wrong")] {
        let headers = [&own[..], &[wrong]].concat();
        assert_eq!(call(&gateway, "GET", "/admin/keys", &headers).await.status, 401, "{wrong:?}");
    }
}

#[tokio::test]
async fn a_sign_out_forgets_the_cookie() {
    let gateway = TestApp::start(json!({})).await;
    let (cookie, proof) = signed_in(&gateway).await;
    assert_eq!(call(&gateway, "DELETE", "/admin/session", &[("cookie", &cookie)]).await.status, 401);
    let own = [("cookie", cookie.as_str()), ("x-tollgate-csrf", proof.as_str())];
    let ended = call(&gateway, "DELETE", "/admin/session", &own).await;
    assert_eq!(ended.status, 200);
    assert!(ended.header("set-cookie").contains("=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"));
}

#[tokio::test]
async fn the_page_and_its_files_need_no_key() {
    let gateway = TestApp::start(json!({})).await;
    for (path, status) in [("/dashboard", 200), ("/dashboard/app.js", 200), ("/dashboard/", 308)] {
        assert_eq!(call(&gateway, "GET", path, &[]).await.status, status, "{path}");
    }
    for path in ["/dashboard/nothing.js", "/dashboard/uPlot.min.css", "/admin", "/admin/overview"] {
        assert_eq!(call(&gateway, "GET", path, &[]).await.status, 401, "{path}");
    }
    assert_eq!(call(&gateway, "GET", "/dashboard/nothing.js", &[KEY]).await.status, 404);
    assert_eq!(call(&gateway, "POST", "/dashboard", &[KEY]).await.status, 405);
}
