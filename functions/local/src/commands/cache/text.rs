//! The gateway's answers of the cache, as people read them.

use serde_json::Value;

use super::super::gateway::columns;

pub(super) fn set_up(done: &Value) -> String {
    let what = if done["created"] == true { "created" } else { "was there already" };
    format!(
        "the index of {} for vectors of {} components {what}",
        word(&done["provider"]),
        done["dimensions"]
    )
}

pub(super) fn invalidated(done: &Value) -> String {
    let selector = &done["selector"];
    let value =
        if selector["value"].is_null() { String::new() } else { format!(" {}", word(&selector["value"])) };
    let (tenant, at) = (word(&done["tenant"]), word(&done["at"]));
    format!("answers of the tenant {tenant} up to {at} are stale: {}{value}", word(&selector["by"]))
}

pub(super) fn explanation(told: &Value) -> String {
    let names = ["verdict", "bypass", "similarity", "lowest", "threshold", "profile", "mode"];
    let rows: Vec<[String; 2]> = names.iter().map(|name| [(*name).to_owned(), word(&told[*name])]).collect();
    columns(&rows)
}

pub(super) fn statistics(found: &Value) -> String {
    let head =
        ["MODEL", "EXACT", "SEMANTIC", "MISS", "BYPASS", "HIT RATIO", "COMPARED", "AGREED", "PRECISION"];
    let mut rows = vec![head.map(str::to_owned)];
    if let Some(models) = found["models"].as_object() {
        rows.extend(models.iter().map(|(model, figures)| row(model, figures)));
    }
    rows.push(row("all", found));
    let counters = found["counters"].as_object();
    let counters = counters.into_iter().flatten().map(|(name, count)| format!("{name}  {count}"));
    let counters: Vec<String> = counters.collect();
    format!("{}\n\n{}\nas of {}", columns(&rows), counters.join("\n"), word(&found["asOf"]))
}

fn row(name: &str, figures: &Value) -> [String; 9] {
    let (hits, measured) = (&figures["hits"], &figures["precision"]);
    [
        name.to_owned(),
        word(&hits["exact"]),
        word(&hits["semantic"]),
        word(&figures["misses"]),
        word(&figures["bypasses"]),
        share(&figures["hitRatio"]),
        word(&measured["compared"]),
        word(&measured["agreed"]),
        share(&measured["precision"]),
    ]
}

fn share(value: &Value) -> String {
    value.as_f64().map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", share * 100.0))
}

fn word(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number
            .as_f64()
            .filter(|n| n.fract() != 0.0)
            .map_or_else(|| number.to_string(), |n| format!("{n:.4}")),
        other => other.to_string(),
    }
}
