//! A report as CSV: one line a group, or one line in all where none was asked for.

use shared::app::report::{Group, Grouping, Name, Totals, UsageReport};

const COUNTS: [&str; 9] = [
    "requests",
    "attempts",
    "cacheHits",
    "inputTokens",
    "cachedTokens",
    "outputTokens",
    "reasoningTokens",
    "costUsd",
    "estimatedUsd",
];

/// RFC 4180, with the names of the JSON members as the first line.
pub(crate) fn render(report: &UsageReport, grouping: Grouping) -> String {
    let mut names = names(grouping);
    names.extend(COUNTS);
    let mut text = line(names.into_iter().map(str::to_owned));
    let whole = [Group { name: Name::default(), totals: report.total.clone() }];
    let groups = if grouping.is_none() { &whole[..] } else { &report.groups[..] };
    for group in groups {
        text.push_str(&line(labels(&group.name).into_iter().chain(counts(&group.totals))));
    }
    text
}

fn names(grouping: Grouping) -> Vec<&'static str> {
    let all = [
        (grouping.hour, "hour"),
        (grouping.day, "day"),
        (grouping.key, "key"),
        (grouping.user, "user"),
        (grouping.model, "model"),
    ];
    all.into_iter().filter(|(asked, _)| *asked).map(|(_, name)| name).collect()
}

fn labels(name: &Name) -> Vec<String> {
    let user = name.user.clone().map(Option::unwrap_or_default);
    [name.hour.clone(), name.day.clone(), name.key.clone(), user, name.model.clone()]
        .into_iter()
        .flatten()
        .map(|text| harmless(&text))
        .collect()
}

fn counts(totals: &Totals) -> [String; 9] {
    [
        totals.requests.to_string(),
        totals.attempts.to_string(),
        totals.cache_hits.to_string(),
        totals.input_tokens.to_string(),
        totals.cached_tokens.to_string(),
        totals.output_tokens.to_string(),
        totals.reasoning_tokens.to_string(),
        totals.cost_usd.to_string(),
        totals.estimated_usd.to_string(),
    ]
}

/// Callers choose their users' names, and a spreadsheet would take one that begins like this for a
/// formula. The quote makes it a text.
fn harmless(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let quoted = cells.map(|cell| match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell,
    });
    quoted.collect::<Vec<_>>().join(",") + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(user: Option<&str>, requests: u64) -> Group {
        let name = Name {
            user: Some(user.map(str::to_owned)),
            model: Some("demo/ok".to_owned()),
            ..Name::default()
        };
        Group { name, totals: Totals { requests, ..Totals::default() } }
    }

    fn report(groups: Vec<Group>) -> UsageReport {
        let total = Totals { requests: 3, input_tokens: 5, ..Totals::default() };
        UsageReport { as_of: String::new(), total, groups }
    }

    #[test]
    fn each_group_is_a_line_under_the_names_it_was_asked_by() {
        let by = Grouping { user: true, model: true, ..Grouping::default() };
        let text =
            render(&report(vec![group(Some("a,\"b\""), 1), group(Some("=1+1"), 2), group(None, 0)]), by);
        let head = "user,model,requests,attempts,cacheHits,inputTokens,cachedTokens,outputTokens,reasoningTokens,costUsd,estimatedUsd";
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(
            lines,
            [
                head,
                "\"a,\"\"b\"\"\",demo/ok,1,0,0,0,0,0,0,0,0",
                "'=1+1,demo/ok,2,0,0,0,0,0,0,0,0",
                ",demo/ok,0,0,0,0,0,0,0,0,0",
                "",
            ]
        );
    }

    #[test]
    fn without_groups_the_total_is_the_one_line() {
        let text = render(&report(Vec::new()), Grouping::default());
        assert!(text.ends_with("\r\n3,0,0,5,0,0,0,0,0\r\n"), "{text}");
    }
}
