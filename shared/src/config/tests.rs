//! Whole documents: what is accepted, which field each key reaches, and how faults are told.

use serde_json::json;

use super::*;

const SHIPPED: &str = include_str!("../../../config/ai-gateway.json");

/// The document the design gives as valid, to the letter.
const DOCUMENTED: &str = include_str!("documented.json");

fn model(text: &str) -> ModelName {
    text.parse().expect(text)
}

fn faults(text: &str) -> String {
    Config::parse(text).expect_err(text).to_string()
}

#[test]
fn the_documented_configuration_is_accepted_to_the_letter() {
    let expected = Config {
        gateway: Gateway { edge: true, timeout_ms: 3_000, stream_enabled: true, cors_origins: Vec::new() },
        cache: Cache {
            provider: CacheProvider::Redis,
            semantic_threshold: Some(0.92),
            ttl_hours: 24,
            version_key: "prompt_v2".to_owned(),
            ..Cache::default()
        },
        routing: Routing {
            primary: model("openai/gpt-4o"),
            fallbacks: vec![model("anthropic/claude-3-5-sonnet"), model("meta/llama-3.1-70b")],
            circuit_breaker: CircuitBreaker { threshold: 5, reset_timeout_ms: 30_000 },
            ..Routing::default()
        },
        billing: Billing {
            track_tokens: true,
            hard_limit_per_request_nano: Some(500_000_000),
            alert_thresholds_ppm: vec![500_000, 800_000, 1_000_000],
            consent_threshold_nano: None,
        },
        ..Config::default()
    };
    assert_eq!(Config::parse(DOCUMENTED), Ok(expected));
}

#[test]
fn the_shipped_configuration_differs_from_the_documented_one_in_store_and_threshold_only() {
    let shipped = Config::parse(SHIPPED).expect("the shipped configuration is valid");
    let documented = Config::parse(DOCUMENTED).expect("the documented configuration is valid");
    let cache = Cache { provider: CacheProvider::DynamoDb, semantic_threshold: None, ..documented.cache };
    assert_eq!(shipped, Config { cache, ..documented });
}

#[test]
fn an_empty_document_is_the_default() {
    assert_eq!(Config::parse("{}"), Ok(Config::default()));
    let empty_sections = r#"{"gateway": {}, "cache": {}, "routing": {"circuit_breaker": {}, "timeouts": {}}, "billing": {},
        "observability": {}, "providers": {}, "rag": {}, "tenants": {}, "alerts": {}}"#;
    assert_eq!(Config::parse(empty_sections), Ok(Config::default()));
}

#[test]
fn every_key_reaches_its_field() {
    let changed = json!({
        "gateway": {"edge": true, "timeout_ms": 1, "stream_enabled": false, "cors_origins": ["https://app.example.com"]},
        "cache": {"provider": "milvus", "semantic_threshold": 1, "ttl_hours": 1, "version_key": "x", "semantic": "shadow",
                  "scope": "tenant", "max_temperature": 0, "lookup_budget_ms": 7, "profile": "high-hit", "verify_share": "0.25",
                  "routes": {"openai/o1": {"semantic": "off", "profile": "safe", "semantic_threshold": 0.97}}},
        "routing": {"primary": "meta/a", "fallbacks": ["mistral/b"], "timeouts": {"openai/o1": 60_000},
                    "circuit_breaker": {"threshold": 1, "reset_timeout_ms": 2}},
        "billing": {"track_tokens": false, "hard_limit_per_request_usd": "0.000000001",
                    "alert_thresholds": [1, "0.25"], "consent_threshold_usd": 2},
        "observability": {"otel_enabled": false, "metrics": ["cache.hit_ratio"], "log_level": "trace"},
        "rag": {"provider": "qdrant"},
    });
    let expected = Config {
        gateway: Gateway {
            edge: true,
            timeout_ms: 1,
            stream_enabled: false,
            cors_origins: vec!["https://app.example.com".to_owned()],
        },
        cache: Cache {
            provider: CacheProvider::Milvus,
            store: VectorServer::default(),
            semantic_threshold: Some(1.0),
            ttl_hours: 1,
            version_key: "x".to_owned(),
            semantic: SemanticMode::Shadow,
            scope: CacheScope::Tenant,
            max_temperature: 0.0,
            lookup_budget_ms: 7,
            profile: CacheProfile::HighHit,
            verify_share_ppm: 250_000,
            routes: BTreeMap::from([(
                model("openai/o1"),
                CacheRoute {
                    semantic: Some(SemanticMode::Off),
                    profile: Some(CacheProfile::Safe),
                    semantic_threshold: Some(0.97),
                },
            )]),
        },
        routing: Routing {
            primary: model("meta/a"),
            fallbacks: vec![model("mistral/b")],
            timeouts: BTreeMap::from([(model("openai/o1"), 60_000)]),
            circuit_breaker: CircuitBreaker { threshold: 1, reset_timeout_ms: 2 },
        },
        billing: Billing {
            track_tokens: false,
            hard_limit_per_request_nano: Some(1),
            alert_thresholds_ppm: vec![250_000, 1_000_000],
            consent_threshold_nano: Some(2_000_000_000),
        },
        observability: Observability {
            otel_enabled: false,
            metrics: vec![Metric::CacheHitRatio],
            log_level: LogLevel::Trace,
        },
        rag: Rag { provider: RagProvider::Qdrant },
        ..Config::default()
    };
    assert_eq!(Config::parse(&changed.to_string()), Ok(expected));
}

#[test]
fn every_key_of_tenants_and_alerts_reaches_its_field() {
    let text = json!({
        "providers": {"box": {"base_url": "http://localhost:1", "local": true}},
        "tenants": {"acme": {"providers": ["bedrock", "box"], "regions": ["eu-west-1", "us-gov-east-1"], "local_only": true,
                             "local_fallback": "box/small", "cache": false, "audit_required": true, "retention_days": 30}},
        "alerts": {"p95_ms": 1, "cost_variance": 0.35, "min_spend_usd": "0.5", "fallback_rate": 0.5,
                   "quiet_hours": [{"from": "22:00", "to": "07:00", "utc_offset": "-01:30", "tenants": ["acme"]}],
                   "webhooks": [{"url": "https://a.example.com/x", "secret": "env:S"}, {"url": "http://localhost:9"}],
                   "slack": [{"url": "https://hooks.example.com/1", "min_severity": "critical"}, {"url": "env:SLACK"}],
                   "pagerduty": [{"routing_key": "k", "tenants": ["acme"]}, {"routing_key": "secretsmanager:pd", "url": "http://localhost:1/e"}],
                   "sns": [{"topic_arn": "arn:aws:sns:eu-west-1:1:t"}]},
    });
    let config = Config::parse(&text.to_string()).expect("valid");
    let policy = TenantPolicy {
        providers: Some(vec!["bedrock".to_owned(), "box".to_owned()]),
        regions: Some(vec!["eu-west-1".to_owned(), "us-gov-east-1".to_owned()]),
        local_only: true,
        local_fallback: Some(model("box/small")),
        cache: false,
        audit_required: true,
        retention_days: Some(30),
    };
    assert_eq!(config.tenants, BTreeMap::from([("acme".to_owned(), policy)]));
    let url = |text: &str| text.parse::<BaseUrl>().expect(text);
    let takes = Takes { tenants: None, min_severity: MinSeverity::Info };
    let webhook = |at: &str, secret: Option<&str>| Webhook {
        url: url(at),
        secret: secret.map(|name| SecretRef::Env(name.to_owned())),
        takes: takes.clone(),
    };
    let slack = |url, takes| Slack { url, takes };
    let events = url("https://events.pagerduty.com/v2/enqueue");
    let acme = || Some(vec!["acme".to_owned()]);
    let alerts = Alerts {
        p95_ms: 1,
        fallback_rate_ppm: 500_000,
        cost_variance_ppm: 350_000,
        min_spend_nano: 500_000_000,
        quiet_hours: vec![QuietHours { tenants: acme(), from: 22 * 60, to: 7 * 60, utc_offset: -90 }],
        webhooks: vec![webhook("https://a.example.com/x", Some("S")), webhook("http://localhost:9", None)],
        slack: vec![
            slack(
                Given::Plain(url("https://hooks.example.com/1")),
                Takes { min_severity: MinSeverity::Critical, ..takes.clone() },
            ),
            slack(Given::Secret(SecretRef::Env("SLACK".to_owned())), takes.clone()),
        ],
        pagerduty: vec![
            PagerDuty {
                routing_key: Given::Plain("k".to_owned()),
                url: events,
                takes: Takes { tenants: acme(), ..takes.clone() },
            },
            PagerDuty {
                routing_key: Given::Secret(SecretRef::SecretsManager("pd".to_owned())),
                url: url("http://localhost:1/e"),
                takes: takes.clone(),
            },
        ],
        sns: vec![Sns { topic_arn: "arn:aws:sns:eu-west-1:1:t".to_owned(), takes }],
    };
    assert_eq!(config.alerts, alerts);
}

#[test]
fn all_faults_are_reported_together_with_their_paths() {
    let text = r#"{
        "gatway": {},
        "gateway": {"timeout_ms": 0, "edge": "yes", "edge": true},
        "cache": {"provider": "rediss", "ttl_hour": 3, "semantic_threshold": 1.01},
        "routing": {"primary": "gpt-4o", "fallbacks": ["openai/gpt-4o", "mystral/x", 7]},
        "billing": {"hard_limit_per_request_usd": -1},
        "observability": {"metrics": ["cache.hit_rate"]}
    }"#;
    let expected = [
        r#"billing.hard_limit_per_request_usd: must not be negative"#,
        r#"cache.provider: "rediss" is not a known value; the nearest known name is "redis"; one of dynamodb, memory, redis, pgvector, qdrant, milvus"#,
        r#"cache.semantic_threshold: must be a number from 0 to 1, is 1.01"#,
        r#"cache.ttl_hour: "ttl_hour" is not a known key; the nearest known name is "ttl_hours""#,
        r#"gateway.edge: is given twice; keep one"#,
        r#"gateway.timeout_ms: must be a whole number from 1 to 900000, is 0"#,
        r#"gatway: "gatway" is not a known key; the nearest known name is "gateway""#,
        r#"observability.metrics[0]: "cache.hit_rate" is not a known value; the nearest known name is "cache.hit_ratio"; one of llm.request.duration, llm.token.count, cache.hit_ratio, fallback.trigger_rate"#,
        r#"routing.fallbacks[0]: openai/gpt-4o is already in the chain"#,
        r#"routing.fallbacks[1]: "mystral" is not a known provider; the nearest known name is "mistral""#,
        r#"routing.fallbacks[2]: must be a string, is a number"#,
        r#"routing.primary: must name its provider, such as openai/gpt-4o"#,
    ];
    assert_eq!(faults(text), expected.join("\n"));
}

#[test]
fn a_tenant_policy_that_cannot_hold_is_refused() {
    for (policy, expected) in [
        (r#"{"providers": []}"#, "providers: must not be empty; leave it out to allow any"),
        (
            r#"{"providers": ["opnai"]}"#,
            "providers[0]: \"opnai\" is not a known provider; the nearest known name is \"openai\"",
        ),
        (r#"{"regions": ["Ireland"]}"#, "regions[0]: must be an AWS region such as eu-west-1"),
        (r#"{"local_fallback": "openai/x"}"#, "local_fallback: the provider \"openai\" is not marked local"),
        (
            r#"{"local": true}"#,
            "local: \"local\" is not a known key; the nearest known name is \"local_only\"",
        ),
        (r#"{"retention_days": 0}"#, "retention_days: must be a whole number from 1 to 36500, is 0"),
    ] {
        let text = format!(r#"{{"tenants": {{"acme": {policy}}}}}"#);
        assert_eq!(faults(&text), format!("tenants.acme.{expected}"));
    }
}

#[test]
fn a_document_that_is_no_object_is_refused() {
    for (text, expected) in
        [("[]", "$: must be an object, is a list"), ("null", "$: must be an object, is null")]
    {
        assert_eq!(faults(text), expected);
    }
    assert!(faults("{,}").starts_with("$: is not valid JSON: "));
}
