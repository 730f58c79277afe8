//! Where alerts go, and when they wait.

use std::str::FromStr;

use super::base_url::BaseUrl;
use super::names::named_enum;
use super::secret_ref::SecretRef;
use super::section::{Section, text_of};

pub(super) const WEBHOOK_KEYS: &[&str] = &["url", "secret", "tenants", "min_severity"];
pub(super) const SLACK_KEYS: &[&str] = &["url", "tenants", "min_severity"];
pub(super) const PAGERDUTY_KEYS: &[&str] = &["routing_key", "url", "tenants", "min_severity"];
pub(super) const SNS_KEYS: &[&str] = &["topic_arn", "tenants", "min_severity"];
pub(super) const QUIET_KEYS: &[&str] = &["tenants", "from", "to", "utc_offset"];

/// Where PagerDuty takes events.
const EVENTS: &str = "https://events.pagerduty.com/v2/enqueue";

named_enum! {
    /// The least grave alert that a channel takes.
    MinSeverity {
        /// Every one.
        Info => "info",
        /// Those that somebody should look at.
        Warning => "warning",
        /// Those that somebody must.
        Critical => "critical",
    }
}

/// Which alerts a channel takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Takes {
    /// Tenants whose alerts it takes; none is all, and the operator's own.
    pub tenants: Option<Vec<String>>,
    pub min_severity: MinSeverity,
}

/// A text in the file, or where to find it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given<T> {
    Plain(T),
    Secret(SecretRef),
}

/// An address that alerts are posted to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Encrypted unless the host is localhost.
    pub url: BaseUrl,
    /// Signs the body; none is unsigned.
    pub secret: Option<SecretRef>,
    pub takes: Takes,
}

/// An incoming webhook of Slack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slack {
    pub url: Given<BaseUrl>,
    pub takes: Takes,
}

/// An integration of a PagerDuty service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PagerDuty {
    pub routing_key: Given<String>,
    pub url: BaseUrl,
    pub takes: Takes,
}

/// An SNS topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sns {
    pub topic_arn: String,
    pub takes: Takes,
}

/// Hours of the day in which only critical alerts are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuietHours {
    /// Whose alerts they hold back; none is all.
    pub tenants: Option<Vec<String>>,
    /// Minutes after midnight, 0 to 1,439; where the end is no later than the start it is on the next day.
    pub from: u16,
    pub to: u16,
    /// Minutes ahead of UTC, -840 to 840.
    pub utc_offset: i16,
}

/// The elements of a list of objects.
pub(super) fn each<T>(
    section: &Section<'_>,
    key: &str,
    keys: &'static [&'static str],
    read: impl Fn(&Section<'_>) -> Option<T>,
) -> Vec<T> {
    let nodes = section.list(key).unwrap_or_default().into_iter();
    let channels = nodes.map(|(path, node)| Section::open(Some(node), &path, keys, section.faults()));
    channels.filter_map(|channel| read(&channel)).collect()
}

impl Takes {
    fn read(channel: &Section<'_>) -> Takes {
        let min_severity = channel.choice("min_severity", MinSeverity::Info);
        Takes { tenants: tenants(channel), min_severity }
    }
}

impl Webhook {
    pub(super) fn read(channel: &Section<'_>) -> Option<Webhook> {
        channel.require("url");
        let (secret, takes) = (channel.parsed("secret"), Takes::read(channel));
        let url = address(channel, channel.parsed("url")?)?;
        Some(Webhook { url, secret, takes })
    }
}

impl Slack {
    pub(super) fn read(channel: &Section<'_>) -> Option<Slack> {
        channel.require("url");
        let takes = Takes::read(channel);
        let text = channel.optional_text("url")?;
        let url = match text.parse() {
            Ok(reference) => Given::Secret(reference),
            Err(_) => Given::Plain(address(channel, channel.parsed("url")?)?),
        };
        Some(Slack { url, takes })
    }
}

impl PagerDuty {
    pub(super) fn read(channel: &Section<'_>) -> Option<PagerDuty> {
        channel.require("routing_key");
        let takes = Takes::read(channel);
        let text = channel.optional_text("routing_key")?;
        let routing_key = SecretRef::from_str(&text).map_or(Given::Plain(text), Given::Secret);
        let url = match channel.has("url") {
            true => channel.parsed("url")?,
            false => EVENTS.parse().ok()?,
        };
        Some(PagerDuty { routing_key, url: address(channel, url)?, takes })
    }
}

impl Sns {
    pub(super) fn read(channel: &Section<'_>) -> Option<Sns> {
        channel.require("topic_arn");
        let takes = Takes::read(channel);
        let topic_arn = channel.optional_text("topic_arn")?;
        let parts: Vec<&str> = topic_arn.split(':').collect();
        if matches!(parts.as_slice(), ["arn", _, "sns", region, _, name] if !region.is_empty() && !name.is_empty())
        {
            return Some(Sns { topic_arn, takes });
        }
        channel.refuse("topic_arn", "must be the ARN of an SNS topic");
        None
    }
}

impl QuietHours {
    pub(super) fn read(hours: &Section<'_>) -> Option<QuietHours> {
        hours.require("from");
        hours.require("to");
        let tenants = tenants(hours);
        let (from, to) = (time(hours, "from"), time(hours, "to"));
        let utc_offset = match hours.optional_text("utc_offset") {
            None => 0,
            Some(text) => offset(&text).or_else(|| {
                hours.refuse("utc_offset", "must be the time ahead of UTC, such as +01:00");
                None
            })?,
        };
        Some(QuietHours { tenants, from: from?, to: to?, utc_offset })
    }
}

fn tenants(section: &Section<'_>) -> Option<Vec<String>> {
    let nodes = section.list("tenants")?;
    if nodes.is_empty() {
        section.refuse("tenants", "must not be empty; leave it out for all");
    }
    let texts = nodes.iter().filter_map(|(path, node)| text_of(node, path, section.faults()));
    Some(texts.map(str::to_owned).collect())
}

/// Alerts may go to a private network: their addresses are the operator's own, and no caller's
/// input reaches them.
fn address(channel: &Section<'_>, url: BaseUrl) -> Option<BaseUrl> {
    url.local().map_err(|error| channel.refuse("url", error.to_string())).ok()
}

fn time(hours: &Section<'_>, key: &str) -> Option<u16> {
    let text = hours.optional_text(key)?;
    let minutes = clock(&text).filter(|minutes| *minutes < 24 * 60);
    if minutes.is_none() {
        hours.refuse(key, "must be a time of day such as 22:00");
    }
    minutes
}

/// `HH:MM` in minutes.
fn clock(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str| {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| is_number)
    };
    let minutes = number(minutes).filter(|minutes| *minutes < 60)?;
    Some(number(hours)? * 60 + minutes)
}

fn offset(text: &str) -> Option<i16> {
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let minutes = clock(text.get(1..)?).filter(|minutes| *minutes <= 14 * 60)?;
    Some(sign * i16::try_from(minutes).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_offsets_are_read_strictly() {
        assert_eq!(["22:00", "07:05", "00:00"].map(clock), [Some(1320), Some(425), Some(0)]);
        for wrong in ["7:00", "07:60", "0700", "", "+7:00", "aa:bb"] {
            assert_eq!(clock(wrong), None, "{wrong}");
        }
        assert_eq!(["+01:00", "-09:30"].map(offset), [Some(60), Some(-570)]);
        for wrong in ["01:00", "+1", "+15:00", "", "\u{e9}"] {
            assert_eq!(offset(wrong), None, "{wrong}");
        }
    }
}
