//! URLs and settings of servers of vectors.

use super::super::Config;
use super::*;

fn url(text: &str) -> Result<StoreUrl, StoreUrlError> {
    text.parse()
}

#[test]
fn urls_say_who_is_reached_and_how() {
    let redis = url("rediss://gateway@Cache.example.com:6380/2").expect("a URL");
    assert_eq!((redis.scheme, redis.tls, redis.port), (StoreScheme::Redis, true, Some(6380)));
    assert_eq!(redis.host, Host::Name("cache.example.com".to_owned()));
    assert_eq!((redis.user.as_deref(), redis.database.as_str()), (Some("gateway"), "2"));
    let postgres = url("postgres://gateway@db.example.com/vectors").expect("a URL");
    assert!(postgres.tls, "encrypted without being asked");
    assert!(!url("postgresql://gw@127.0.0.1:5432/gw").expect("a URL").tls);
    assert!(!url("redis://localhost").expect("a URL").tls);
    assert!(!url("http://[::1]:19530").expect("a URL").tls);
}

#[test]
fn what_is_no_url_of_a_store_is_refused_without_being_quoted() {
    for (text, error) in [
        ("cache.example.com:6379", StoreUrlError::Scheme),
        ("mysql://a/b", StoreUrlError::Scheme),
        ("rediss://user:hunter2@cache.example.com", StoreUrlError::Password),
        ("rediss://:hunter2@cache.example.com", StoreUrlError::Password),
        ("redis://cache.example.com", StoreUrlError::NotEncrypted),
        ("http://10.0.0.1:6333", StoreUrlError::NotEncrypted),
        ("https://", StoreUrlError::Malformed),
        ("https://a:0", StoreUrlError::Malformed),
        ("https://a:b", StoreUrlError::Malformed),
        ("https://a b", StoreUrlError::Malformed),
        ("https://a?b", StoreUrlError::Malformed),
        ("postgres://a/b/c", StoreUrlError::Malformed),
        ("postgres://a/b?sslmode=disable", StoreUrlError::Malformed),
        ("postgres://a'--@h/b", StoreUrlError::Malformed),
    ] {
        assert_eq!(url(text), Err(error), "{text}");
        assert!(!error.to_string().contains("hunter2"));
    }
}

#[test]
fn every_key_of_the_store_reaches_its_field() {
    let text = r#"{"cache": {"store": {"url": "https://milvus.example.com", "secret": "env:TOKEN",
        "name": "answers", "ca_file": "ca.pem", "hnsw": {"m": 8, "ef_construction": 64, "ef_search": 40}}}}"#;
    let store = Config::parse(text).expect("valid").cache.store;
    let expected = VectorServer {
        url: url("https://milvus.example.com").ok(),
        secret: "env:TOKEN".parse().ok(),
        name: "answers".parse().expect("a name"),
        ca_file: Some("ca.pem".to_owned()),
        hnsw: Hnsw { m: 8, ef_construction: 64, ef_search: 40 },
    };
    assert_eq!(store, expected);
}

#[test]
fn each_fault_of_the_store_is_told_at_its_path() {
    for (store, path) in [
        (r#"{"url": "ftp://a"}"#, "cache.store.url"),
        (r#"{"secret": "hunter2"}"#, "cache.store.secret"),
        (r#"{"name": "Cache"}"#, "cache.store.name"),
        (r#"{"name": "a; DROP TABLE b"}"#, "cache.store.name"),
        (r#"{"name": ""}"#, "cache.store.name"),
        (r#"{"ca_file": 1}"#, "cache.store.ca_file"),
        (r#"{"hnsw": {"m": 1}}"#, "cache.store.hnsw.m"),
        (r#"{"hnsw": {"m": 30, "ef_construction": 59}}"#, "cache.store.hnsw.ef_construction"),
        (r#"{"hnsw": {"ef_search": 0}}"#, "cache.store.hnsw.ef_search"),
        (r#"{"hnsw": {"ef": 9}}"#, "cache.store.hnsw.ef"),
        (r#"{"password": "x"}"#, "cache.store.password"),
    ] {
        let faults = Config::parse(&format!(r#"{{"cache": {{"store": {store}}}}}"#)).expect_err(store);
        let [fault] = &faults.0[..] else { panic!("{store}: {faults}") };
        assert_eq!(fault.path, path, "{store}");
    }
}
