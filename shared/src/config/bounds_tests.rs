//! Values just outside what each key takes: one fault each, at the key's own path.

use super::Config;

/// Section, key, and values that are refused.
const OUT_OF_BOUNDS: &[(&str, &str, &[&str])] = &[
    ("gateway", "timeout_ms", &["0", "900001", "-1", "1.5", "\"3000\"", "null", "1e3", "[]"]),
    ("gateway", "edge", &["1", "\"true\"", "null"]),
    ("cache", "semantic_threshold", &["-0.01", "1.0001", "\"0.9\"", "true", "{}"]),
    ("cache", "ttl_hours", &["0", "87601", "4294967296", "-1", "1.0"]),
    ("cache", "version_key", &["\"\"", "1", "\"a\\u0000\""]),
    ("cache", "semantic", &["\"On\"", "true"]),
    ("cache", "max_temperature", &["-1", "2.1"]),
    ("cache", "lookup_budget_ms", &["0", "60001"]),
    ("cache", "profile", &["\"high_hit\"", "1"]),
    ("cache", "verify_share", &["-0.1", "1.1", "\"1%\"", "true", "0.1234567"]),
    (
        "cache",
        "routes",
        &[
            "[]",
            "{\"o1\": {}}",
            "{\"nowhere/o1\": {}}",
            "{\"openai/o1\": 1}",
            "{\"openai/o1\": {\"semantic\": \"no\"}}",
            "{\"openai/o1\": {\"scope\": \"key\"}}",
            "{\"openai/o1\": {\"semantic_threshold\": 2}}",
        ],
    ),
    ("routing", "primary", &["\"\"", "\"openai/\"", "\"nowhere/x\"", "\"openai/gpt-4о\"", "[]"]),
    ("routing", "fallbacks", &["{}", "\"openai/x\"", "[\"mistral/x\", \"mistral/x\"]"]),
    ("routing", "circuit_breaker", &["5", "{\"threshold\": 0}", "{\"reset_timeout_ms\": 0}"]),
    ("routing", "timeouts", &["[]", "{\"o1\": 5}", "{\"openai/o1\": 0}", "{\"nowhere/o1\": 5}"]),
    (
        "billing",
        "hard_limit_per_request_usd",
        &["0", "\"-1\"", "\"NaN\"", "1e10", "1e-10", "\"1e99\"", "0.12345678901", "null", "true"],
    ),
    ("billing", "hard_limit_per_request_usd", &["12345678.123456789", "\"\"", "\"0.50 \"", "\"$1\""]),
    ("billing", "consent_threshold_usd", &["0", "-0.5", "\"9223372036.854775808\""]),
    ("billing", "alert_thresholds", &["[0]", "[1.1]", "[-0.5]", "[0.5, 0.50]", "[0.1234567]", "0.5"]),
    (
        "observability",
        "metrics",
        &["[\"cache.hit_ratio\", \"cache.hit_ratio\"]", "[1]", "\"cache.hit_ratio\""],
    ),
    ("observability", "log_level", &["\"warning\"", "3"]),
    ("rag", "provider", &["\"redis\""]),
    ("alerts", "p95_ms", &["0"]),
    ("alerts", "cost_variance", &["0", "-1", "0.1234567"]),
    ("alerts", "min_spend_usd", &["-1", "1e-10"]),
    (
        "alerts",
        "webhooks",
        &["[{}]", "[{\"url\": \"http://a.example.com\"}]", "[{\"url\": \"https://a\", \"secret\": \"s\"}]"],
    ),
    ("alerts", "slack", &["[{\"url\": \"https://a.example.com\", \"channel\": \"x\"}]", "{}", "[1]"]),
    ("alerts", "pagerduty", &["[{}]", "[{\"routing_key\": \"\"}]"]),
    (
        "alerts",
        "anomaly",
        &[
            "{\"mode\": \"on\"}",
            "{\"factor\": 1}",
            "{\"factor\": 2.5}",
            "{\"min_spend_usd\": -1}",
            "{\"ratio\": 3}",
        ],
    ),
    ("alerts", "sns", &["[{\"topic_arn\": \"topic\"}]", "[{}]"]),
];

#[test]
fn each_value_out_of_bounds_is_one_fault_at_its_path() {
    for (section, key, values) in OUT_OF_BOUNDS {
        for value in *values {
            let text = format!(r#"{{"{section}": {{"{key}": {value}}}}}"#);
            let faults = Config::parse(&text).expect_err(&text);
            let [fault] = &faults.0[..] else {
                panic!("{text}: {faults}");
            };
            assert!(fault.path.starts_with(&format!("{section}.{key}")), "{text}: {faults}");
        }
    }
}
