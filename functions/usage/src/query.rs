//! The query of `GET /v1/usage`.

use bytes::Bytes;
use http::Request;
use http::header::ACCEPT;
use shared::app::report::Grouping;
use shared::domain::time::{Period, Timestamp};
use shared::protocol::fields::BadRequest;

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Csv,
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) since: Timestamp,
    pub(crate) until: Option<Timestamp>,
    pub(crate) grouping: Grouping,
    pub(crate) format: Format,
    /// Of the admin only.
    pub(crate) tenant: Option<String>,
    pub(crate) key: Option<String>,
}

impl Asked {
    /// Reads `period` or `from` and `to`, `group`, `format`, and of an admin `tenant` and `key`.
    pub(crate) fn read(request: &Request<Bytes>, is_admin: bool, now: Timestamp) -> Result<Self, BadRequest> {
        let accepts = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let format = if wants_csv(accepts) { Format::Csv } else { Format::Json };
        read(request.uri().query().unwrap_or_default(), format, is_admin, now)
    }
}

/// The type that is named first wins.
fn wants_csv(accepts: &str) -> bool {
    let types = accepts.split(',').map(|one| one.split(';').next().unwrap_or_default().trim());
    types.into_iter().find(|kind| ["text/csv", "application/json"].contains(kind)) == Some("text/csv")
}

fn read(query: &str, format: Format, is_admin: bool, now: Timestamp) -> Result<Asked, BadRequest> {
    let mut asked = Asked {
        since: Timestamp::default(),
        until: None,
        grouping: Grouping::default(),
        format,
        tenant: None,
        key: None,
    };
    let (mut period, mut from) = (None, None);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match name.as_ref() {
            "period" => period = Some(begins(&value, now)?),
            "from" => from = Some(hour("from", &value)?),
            "to" => asked.until = Some(hour("to", &value)?),
            "group" => value.split(',').try_for_each(|word| group(&mut asked.grouping, word))?,
            "format" => asked.format = written(&value)?,
            "tenant" | "key" if !is_admin => {
                return Err(BadRequest::new(&*name, format!("only the admin key may choose a {name}")));
            }
            "tenant" => asked.tenant = Some(value.into_owned()),
            "key" => asked.key = Some(value.into_owned()),
            other => return Err(BadRequest::new(other, format!("unknown query parameter {other:?}"))),
        }
    }
    if period.is_some() && (from.is_some() || asked.until.is_some()) {
        return Err(BadRequest::new("period", "give either period or from and to"));
    }
    asked.since = period.or(from).unwrap_or_default();
    match asked.until.is_some_and(|until| until <= asked.since) {
        true => Err(BadRequest::new("to", "to must be after from")),
        false => Ok(asked),
    }
}

/// The beginning of the present period. Total is the default.
fn begins(period: &str, now: Timestamp) -> Result<Timestamp, BadRequest> {
    match period {
        "minute" => Ok(Period::Minute.starts_at(now)),
        "hour" => Ok(Period::Hour.starts_at(now)),
        "day" => Ok(Period::Day.starts_at(now)),
        "month" => Ok(Period::Month.starts_at(now)),
        "total" => Ok(Timestamp::default()),
        other => Err(BadRequest::new(
            "period",
            format!("period must be minute, hour, day, month or total, got {other:?}"),
        )),
    }
}

/// A time at the beginning of an hour of UTC, by which usage is kept.
pub(crate) fn hour(name: &str, text: &str) -> Result<Timestamp, BadRequest> {
    let at = Timestamp::parse(text).filter(|at| *at == Timestamp::of_hour(at.hour()) && at.hour() >= 0);
    at.ok_or_else(|| {
        let example = "such as 2026-11-24T10:00:00Z or 2026-11-24";
        BadRequest::new(
            name,
            format!("{name} must be a date or a full hour in RFC 3339, {example}, got {text:?}"),
        )
    })
}

fn group(grouping: &mut Grouping, word: &str) -> Result<(), BadRequest> {
    match word {
        "hour" => grouping.hour = true,
        "day" => grouping.day = true,
        "key" => grouping.key = true,
        "user" => grouping.user = true,
        "model" => grouping.model = true,
        other => {
            let text = format!("group must be some of hour, day, key, user and model, got {other:?}");
            return Err(BadRequest::new("group", text));
        }
    }
    Ok(())
}

fn written(format: &str) -> Result<Format, BadRequest> {
    match format {
        "json" => Ok(Format::Json),
        "csv" => Ok(Format::Csv),
        other => Err(BadRequest::new("format", format!("format must be json or csv, got {other:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-12-31T23:59:30Z.
    const NOW: Timestamp = Timestamp::from_millis(1_798_761_570_000);

    fn asked(query: &str) -> Asked {
        read(query, Format::Json, true, NOW).expect("valid")
    }

    fn refused(query: &str, is_admin: bool) -> String {
        read(query, Format::Json, is_admin, NOW).expect_err(query).param
    }

    #[test]
    fn a_period_counts_from_its_beginning() {
        assert_eq!(asked("period=day").since.rfc3339(), "2026-12-31T00:00:00Z");
        assert_eq!(asked("period=month").since.rfc3339(), "2026-12-01T00:00:00Z");
        assert_eq!(asked("").since, Timestamp::default());
        assert_eq!(refused("period=week", true), "period");
    }

    #[test]
    fn a_span_has_full_hours_and_an_order() {
        let span = asked("from=2026-11-24T10%3A00%3A00Z&to=2026-11-25");
        assert_eq!(span.since.rfc3339(), "2026-11-24T10:00:00Z");
        assert_eq!(span.until.map(Timestamp::rfc3339).as_deref(), Some("2026-11-25T00:00:00Z"));
        assert_eq!(refused("from=2026-11-24T10:30:00Z", true), "from");
        assert_eq!(refused("from=1960-01-01", true), "from");
        assert_eq!(refused("to=tomorrow", true), "to");
        assert_eq!(refused("from=2026-11-24&to=2026-11-24", true), "to");
        assert_eq!(refused("period=day&to=2026-11-24", true), "period");
    }

    #[test]
    fn groups_are_named_together_or_one_by_one() {
        let both = Grouping { hour: true, model: true, ..Grouping::default() };
        assert_eq!(asked("group=hour,model").grouping, both);
        assert_eq!(asked("group=hour&group=model").grouping, both);
        assert_eq!(refused("group=team", true), "group");
        assert_eq!(refused("sort=cost", true), "sort");
    }

    #[test]
    fn only_an_admin_chooses_whose_usage() {
        assert_eq!(asked("tenant=a%20b&key=k").tenant.as_deref(), Some("a b"));
        assert_eq!(refused("tenant=acme", false), "tenant");
        assert_eq!(refused("key=other", false), "key");
    }

    #[test]
    fn csv_is_asked_for_in_either_place() {
        assert_eq!(asked("format=csv").format, Format::Csv);
        assert_eq!(refused("format=xml", true), "format");
        for (accepts, csv) in [
            ("text/csv", true),
            ("text/csv;q=0.9, application/json", true),
            ("application/json, text/csv", false),
            ("*/*", false),
            ("", false),
        ] {
            assert_eq!(wants_csv(accepts), csv, "{accepts}");
        }
    }
}
