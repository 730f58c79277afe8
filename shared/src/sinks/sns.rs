//! SNS: one signed call of `Publish`. The body is the alert as webhooks get it.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Surroundings, webhook};
use crate::domain::alert::{Alert, Telling};
use crate::domain::time::Timestamp;
use crate::signing::Signer;

const SERVICE: &str = "sns";
/// SNS refuses longer subjects, and such that hold line breaks or other than ASCII.
const SUBJECT_MAX: usize = 99;

pub(super) fn request(
    around: &Surroundings,
    topic_arn: &str,
    alert: &Alert,
    telling: Telling,
    now: Timestamp,
) -> Result<http::Request<String>, String> {
    let account = around.account.as_ref().ok_or("AWS credentials are not set")?;
    let region = topic_arn.split(':').nth(3).unwrap_or(&account.region);
    let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
    let regional = || format!("https://{SERVICE}.{region}.amazonaws.com{suffix}/");
    let subject: String =
        alert.title().chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(SUBJECT_MAX).collect();
    let message = webhook::document(alert, telling).to_string();
    let parameters = [
        ("Action", "Publish"),
        ("Version", "2010-03-31"),
        ("TopicArn", topic_arn),
        ("Subject", &subject),
        ("Message", &message),
    ];
    let encoded =
        parameters.map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
    let mut request = http::Request::post(around.sns_endpoint.clone().unwrap_or_else(regional))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(encoded.join("&"))
        .map_err(|error| error.to_string())?;
    let signer = Signer { credentials: &account.credentials, region, service: SERVICE, now };
    signer.sign(&mut request)?;
    Ok(request)
}
