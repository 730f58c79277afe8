//! AWS Signature Version 4, for the services that are called without their SDK crates.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;

use crate::domain::time::Timestamp;

/// Who calls AWS, and where.
#[derive(Clone, Debug)]
pub struct Account {
    pub region: String,
    /// Its debug form hides the secret.
    pub credentials: Credentials,
}

/// Who signs, for what, and when.
#[derive(Clone, Debug)]
pub(crate) struct Signer<'a> {
    pub(crate) credentials: &'a Credentials,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
    pub(crate) now: Timestamp,
}

impl Signer<'_> {
    /// Adds date, session token and signature to the request's headers.
    ///
    /// # Errors
    /// What about the request cannot be signed.
    pub(crate) fn sign(&self, request: &mut http::Request<String>) -> Result<(), String> {
        let identity: Identity = self.credentials.clone().into();
        let since_epoch = Duration::from_millis(u64::try_from(self.now.millis()).unwrap_or(0));
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(SystemTime::UNIX_EPOCH + since_epoch)
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let uri = request.uri().to_string();
        let headers = request.headers().iter();
        let headers = headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let body = SignableBody::Bytes(request.body().as_bytes());
        let signable = SignableRequest::new(request.method().as_str(), uri, headers, body)
            .map_err(|error| error.to_string())?;
        let signed = sign(signable, &parameters).map_err(|error| error.to_string())?;
        let (instructions, _) = signed.into_parts();
        instructions.apply_to_request_http1x(request);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2015-08-30T12:36:00Z, the moment of the published signing examples.
    const NOW: Timestamp = Timestamp::from_millis(1_440_938_160_000);

    fn authorization(mut request: http::Request<String>) -> String {
        let credentials =
            Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None, None, "test");
        let signer = Signer { credentials: &credentials, region: "us-east-1", service: "service", now: NOW };
        signer.sign(&mut request).expect("signable");
        assert_eq!(request.headers()["x-amz-date"], "20150830T123600Z");
        request.headers()["authorization"].to_str().expect("text").to_owned()
    }

    #[test]
    fn the_published_example_post_vanilla_is_signed_alike() {
        let request = http::Request::post("https://example.amazonaws.com/").body(String::new());
        assert_eq!(
            authorization(request.expect("a request")),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
        );
    }

    #[test]
    fn the_published_example_with_a_body_is_signed_alike() {
        let request = http::Request::post("https://example.amazonaws.com/")
            .header("content-type", "application/x-www-form-urlencoded")
            .body("Param1=value1".to_owned());
        let signed = authorization(request.expect("a request"));
        assert!(signed.contains("SignedHeaders=content-type;host;x-amz-date"), "{signed}");
        let signature = "Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a";
        assert!(signed.ends_with(signature), "{signed}");
    }
}
