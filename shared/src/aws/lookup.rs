//! The semantic tier's function, invoked by one signed call: an SDK crate of its own would make
//! `chat` larger by a tenth.

use std::sync::Arc;

use async_trait::async_trait;

use super::AwsConfig;
use crate::client::causes;
use crate::domain::verdict::Finding;
use crate::ports::{Clock, LookupError, Question, SemanticLookup};
use crate::protocol::json::unquoted;
use crate::signing::Signer;

const SERVICE: &str = "lambda";
/// Lambda's limit for the payload of a synchronous invocation, in bytes.
const PAYLOAD_MAX: usize = 6_291_456;
/// A finding is a few hundred bytes; what is longer is none.
const ANSWER_MAX: usize = 65_536;

/// [`SemanticLookup`] by the deployed `cache` function. A call is sent once: there is no time for
/// another.
pub struct LambdaLookup {
    http: reqwest::Client,
    aws: AwsConfig,
    function: String,
    clock: Arc<dyn Clock>,
}

impl LambdaLookup {
    /// `function` is the name of the deployed function.
    pub fn new(http: reqwest::Client, aws: AwsConfig, function: String, clock: Arc<dyn Clock>) -> Self {
        LambdaLookup { http, aws, function, clock }
    }

    /// Opens a connection, so that the first lookup need not. Whatever is answered will do.
    pub async fn warm(&self) {
        let _ = self.http.head(self.endpoint()).send().await;
    }

    fn endpoint(&self) -> String {
        let region = &self.aws.region;
        let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
        let regional = || format!("https://{SERVICE}.{region}.amazonaws.com{suffix}");
        self.aws.endpoint.as_deref().map_or_else(regional, |url| url.trim_end_matches('/').to_owned())
    }

    fn invocation(&self, question: &Question) -> Result<http::Request<String>, String> {
        let payload = serde_json::to_string(question).map_err(|error| error.to_string())?;
        if payload.len() > PAYLOAD_MAX {
            return Err(format!("the payload of {} bytes is beyond Lambda's limit", payload.len()));
        }
        let url = format!("{}/2015-03-31/functions/{}/invocations", self.endpoint(), self.function);
        let mut request = http::Request::post(url)
            .header("content-type", "application/json")
            .header("x-amz-invocation-type", "RequestResponse")
            .body(payload)
            .map_err(|error| error.to_string())?;
        let (credentials, region) = (&self.aws.credentials, self.aws.region.as_str());
        let signer = Signer { credentials, region, service: SERVICE, now: self.clock.now() };
        signer.sign(&mut request)?;
        Ok(request)
    }
}

#[async_trait]
impl SemanticLookup for LambdaLookup {
    async fn look_up(&self, question: &Question) -> Result<Finding, LookupError> {
        let failed = LookupError::Failed;
        let request = self.invocation(question).map_err(failed)?;
        let request = reqwest::Request::try_from(request).map_err(|error| failed(error.to_string()))?;
        let lost = |error: reqwest::Error| failed(causes(&error.without_url()));
        let mut response = self.http.execute(request).await.map_err(lost)?;
        refusal(&response).map_or(Ok(()), |why| Err(failed(why)))?;
        let mut answer = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(lost)? {
            answer.extend_from_slice(&piece);
            if answer.len() > ANSWER_MAX {
                return Err(failed("its answer is too long".to_owned()));
            }
        }
        serde_json::from_slice(&answer)
            .map_err(|error| failed(format!("its answer is no finding: {}", unquoted(&error))))
    }
}

/// Why the answer holds no finding. The text of a function's own error could quote the question, so
/// only its kind is told.
fn refusal(response: &reqwest::Response) -> Option<String> {
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    if let Some(kind) = header("x-amz-function-error") {
        return Some(format!("the function failed: {kind}"));
    }
    let status = response.status();
    match status.as_u16() {
        200 => None,
        429 => Some(format!("throttled: {}", header("x-amzn-errortype").unwrap_or("no reason given"))),
        _ => Some(format!(
            "Lambda answered {status}: {}",
            header("x-amzn-errortype").unwrap_or("no reason given")
        )),
    }
}

#[cfg(test)]
mod tests;
