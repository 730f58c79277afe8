//! What alarms and dashboard watch is what the code tells.

use std::fs;
use std::path::Path;

use shared::telemetry::names::{
    DIMENSIONS, FIGURES, GENAI_DIMENSIONS, HOLDS_SWEPT, NAMESPACE, OPERATION_DURATION, TOKEN_USAGE,
};

fn root(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What stands between `before` and `after` in each line that has both.
fn between<'a>(text: &'a str, before: &str, after: char) -> Vec<&'a str> {
    let rests = text.lines().filter_map(|line| line.split_once(before));
    rests.filter_map(|(_, rest)| Some(rest.split_once(after)?.0)).collect()
}

/// Namespace, metric and dimensions of each alarm.
fn alarms(template: &str) -> Vec<(String, String, Vec<String>)> {
    let alarms = template.split("Type: AWS::CloudWatch::Alarm\n").skip(1);
    let read = |alarm: &str| {
        // Up to the next resource.
        let own = alarm.split("\n    Type: ").next().unwrap_or(alarm);
        let of = |name: &str| between(own, name, '\n').into_iter().map(str::to_owned).collect::<Vec<_>>();
        let line =
            |name: &str| own.lines().find_map(|line| line.trim().strip_prefix(name)).map(str::to_owned);
        let dimensions = between(own, "Dimensions: [{Name: ", ',').into_iter().map(str::to_owned).collect();
        assert!(of("Dimensions").is_empty(), "one line each");
        (line("Namespace: ").expect("a namespace"), line("MetricName: ").expect("a metric"), dimensions)
    };
    alarms.map(read).collect()
}

#[test]
fn every_alarm_watches_a_metric_that_is_told_by_its_dimensions() {
    let template = root("infra/monitoring.yaml");
    let alarms = alarms(&template);
    let own: Vec<_> = alarms.iter().filter(|(namespace, ..)| namespace == NAMESPACE).collect();
    assert!(own.len() >= 4, "{alarms:?}");
    for (_, metric, dimensions) in &own {
        let is_known = FIGURES.iter().any(|figure| figure.name == metric) || metric == HOLDS_SWEPT;
        assert!(is_known, "nobody tells {metric}");
        assert!(DIMENSIONS.iter().any(|set| *set == dimensions.as_slice()), "{metric} by {dimensions:?}");
    }
    let others = alarms.iter().filter(|(namespace, ..)| namespace != NAMESPACE);
    for (namespace, metric, dimensions) in others {
        let dimensions: Vec<&str> = dimensions.iter().map(String::as_str).collect();
        let known = [
            ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName"),
            ("AWS/Lambda", "Throttles", "FunctionName"),
        ];
        let is_known = known.iter().any(|(n, m, d)| n == namespace && m == metric && dimensions == [*d]);
        assert!(is_known, "{namespace} {metric} by {dimensions:?}");
    }
    let functions = between(&template, "Value: !Ref ", '}').len();
    assert_eq!(functions, 6, "each function's throttles");
}

#[test]
fn the_dashboard_shows_metrics_that_are_told() {
    let template = root("infra/monitoring.yaml");
    let shown = between(&template, "[\"Tollgate\", \"", '"');
    assert!(shown.len() >= 6, "{shown:?}");
    for metric in &shown {
        assert!(FIGURES.iter().any(|figure| figure.name == *metric), "nobody tells {metric}");
    }
    // Each of the operator's own names is on it.
    for figure in FIGURES.iter().filter(|figure| figure.switch.is_some()) {
        assert!(shown.contains(&figure.name), "{} is not shown", figure.name);
    }
    // Names with dots must be quoted in a search.
    let quoted = GENAI_DIMENSIONS.map(|name| format!("\\\"{name}\\\""));
    let search = format!("{{{NAMESPACE},{}}}", quoted.join(","));
    assert!(template.contains(&search), "the search names other dimensions");
    let searched = between(&template, "MetricName=\\\"", '\\');
    assert_eq!(searched, [OPERATION_DURATION]);
    assert_ne!(OPERATION_DURATION, TOKEN_USAGE);
}

#[test]
fn the_filter_reads_a_member_that_the_sweep_logs() {
    let template = root("infra/monitoring.yaml");
    assert!(template.contains(&format!("MetricName: {HOLDS_SWEPT}, MetricValue: $.estimated")));
    let logged = root("functions/alerts/src/lib.rs");
    let told = logged.lines().filter(|line| line.contains("tracing::") && line.contains("\"swept"));
    assert!(
        told.clone().count() > 0 && told.clone().all(|line| line.contains(" estimated,")),
        "{:?}",
        told.collect::<Vec<_>>()
    );
}
