//! The rules of CloudWatch's embedded metric format, as AWS publishes them: the JSON Schema of a
//! document, and what its text demands of the members that it refers to.

use serde_json::Value;

const UNITS: &[&str] = &["Seconds", "Milliseconds", "Bytes", "Percent", "Count", "None"];
const NAMESPACE_CHARS: usize = 1024;
const DIMENSIONS_MAX: usize = 30;
const DIMENSION_CHARS: usize = 250;
const METRICS_MAX: usize = 100;
const METRIC_CHARS: usize = 1024;
const VALUES_MAX: usize = 100;
const DIMENSION_VALUE_CHARS: usize = 1024;
const BYTES_MAX: usize = 256 * 1024;

/// Metric, and the dimensions that it is told by.
pub(super) type Told = (String, Vec<String>);

/// Every metric with every set of its dimensions; panics where a rule is broken.
pub(super) fn check(document: &Value) -> Vec<Told> {
    let text = document.to_string();
    assert!(text.len() <= BYTES_MAX && !text.contains('\n'), "one event of the log");
    let metadata = &document["_aws"];
    assert!(metadata["Timestamp"].is_i64(), "{metadata}");
    only(metadata, &["Timestamp", "CloudWatchMetrics"]);
    let directives = metadata["CloudWatchMetrics"].as_array().expect("a list of directives");
    assert!(!directives.is_empty());
    directives.iter().flat_map(|directive| check_directive(document, directive)).collect()
}

fn check_directive(document: &Value, directive: &Value) -> Vec<Told> {
    only(directive, &["Namespace", "Dimensions", "Metrics"]);
    named(&directive["Namespace"], NAMESPACE_CHARS);
    let sets = directive["Dimensions"].as_array().expect("a list of sets");
    assert!(!sets.is_empty(), "{directive}");
    let sets: Vec<Vec<String>> = sets.iter().map(|set| check_set(document, set)).collect();
    let metrics = directive["Metrics"].as_array().expect("a list of metrics");
    assert!(metrics.len() <= METRICS_MAX);
    let names = metrics.iter().map(|metric| check_metric(document, metric));
    names
        .flat_map(|name| sets.iter().map(move |set| (name.clone(), set.clone())).collect::<Vec<_>>())
        .collect()
}

fn check_set(document: &Value, set: &Value) -> Vec<String> {
    let set = set.as_array().expect("a set of dimensions");
    assert!(set.len() <= DIMENSIONS_MAX);
    let names = set.iter().map(|name| named(name, DIMENSION_CHARS));
    let with_value = names.inspect(|name| {
        let value = named(&document[name], DIMENSION_VALUE_CHARS);
        assert!(value.is_ascii() && !value.trim().is_empty(), "{name}: {value:?}");
    });
    with_value.collect()
}

fn check_metric(document: &Value, metric: &Value) -> String {
    only(metric, &["Name", "Unit", "StorageResolution"]);
    let name = named(&metric["Name"], METRIC_CHARS);
    assert!(UNITS.contains(&metric["Unit"].as_str().expect("a unit")), "{metric}");
    match &document[&name] {
        Value::Array(values) => {
            assert!(values.len() <= VALUES_MAX && values.iter().all(Value::is_number), "{name}");
        }
        value => assert!(value.is_number(), "{name}: {value}"),
    }
    name
}

fn named(text: &Value, most: usize) -> String {
    let text = text.as_str().unwrap_or_else(|| panic!("{text} is no text"));
    assert!((1..=most).contains(&text.chars().count()), "{text:?}");
    text.to_owned()
}

fn only(object: &Value, members: &[&str]) {
    let object = object.as_object().expect("an object");
    assert!(object.keys().all(|key| members.contains(&key.as_str())), "{object:?}");
}
