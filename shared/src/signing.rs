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
    pub(crate) fn sign<B: AsRef<[u8]>>(&self, request: &mut http::Request<B>) -> Result<(), String> {
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
        let body = SignableBody::Bytes(request.body().as_ref());
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
    use hmac::{Hmac, Mac};
    use sha2::{Digest, Sha256};

    use super::*;

    /// 2015-08-30T12:36:00Z, the moment of the published signing examples.
    const NOW: Timestamp = Timestamp::from_millis(1_440_938_160_000);
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    const UNRESERVED: &str = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    fn request(method: &str, uri: &str, headers: &[(&str, &str)], body: &str) -> http::Request<String> {
        let mut request = http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(body.to_owned()).expect("a request")
    }

    fn signed(
        mut request: http::Request<String>,
        service: &str,
        token: Option<&str>,
    ) -> http::Request<String> {
        let credentials = Credentials::new("AKIDEXAMPLE", SECRET, token.map(str::to_owned), None, "test");
        let signer = Signer { credentials: &credentials, region: "us-east-1", service, now: NOW };
        signer.sign(&mut request).expect("signable");
        assert_eq!(request.headers()["x-amz-date"], "20150830T123600Z");
        request
    }

    fn authorization(request: &http::Request<String>) -> &str {
        request.headers()["authorization"].to_str().expect("text")
    }

    /// One of the examples that AWS publishes with their signatures.
    struct Example {
        name: &'static str,
        method: &'static str,
        path: String,
        headers: &'static [(&'static str, &'static str)],
        body: &'static str,
        signed_headers: &'static str,
        signature: &'static str,
    }

    impl Example {
        fn new(name: &'static str, method: &'static str, path: &str, signature: &'static str) -> Self {
            let path = path.to_owned();
            Example {
                name,
                method,
                path,
                headers: &[],
                body: "",
                signed_headers: "host;x-amz-date",
                signature,
            }
        }

        fn holds(&self) {
            let uri = format!("https://example.amazonaws.com{}", self.path);
            let signed = signed(request(self.method, &uri, self.headers, self.body), "service", None);
            let expected = format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                 SignedHeaders={}, Signature={}",
                self.signed_headers, self.signature
            );
            assert_eq!(authorization(&signed), expected, "{}", self.name);
        }
    }

    const VANILLA: &str = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";

    #[test]
    fn the_published_examples_of_paths_are_signed_alike() {
        let unreserved = format!("/{UNRESERVED}");
        let examples = [
            Example::new("get-vanilla", "GET", "/", VANILLA),
            Example::new("get-relative-normalized", "GET", "/example/..", VANILLA),
            Example::new("get-slash-dot-slash-normalized", "GET", "/./", VANILLA),
            Example::new(
                "get-slashes-normalized",
                "GET",
                "//example//",
                "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
            ),
            Example::new(
                "get-unreserved",
                "GET",
                &unreserved,
                "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
            ),
            Example::new(
                "get-utf8",
                "GET",
                "/ሴ",
                "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
            ),
            Example::new(
                "post-vanilla",
                "POST",
                "/",
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
        ];
        examples.iter().for_each(Example::holds);
    }

    #[test]
    fn the_published_examples_of_queries_are_signed_alike() {
        let unreserved = format!("/?{UNRESERVED}={UNRESERVED}");
        let examples = [
            Example::new(
                "get-vanilla-query-order-key-case",
                "GET",
                "/?Param2=value2&Param1=value1",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            Example::new(
                "get-vanilla-query-unreserved",
                "GET",
                &unreserved,
                "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
            ),
            Example::new(
                "get-vanilla-query-order-encoded",
                "GET",
                "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
                "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
            ),
            Example::new(
                "post-vanilla-query",
                "POST",
                "/?Param1=value1",
                "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
            ),
        ];
        examples.iter().for_each(Example::holds);
    }

    #[test]
    fn the_published_examples_of_headers_and_bodies_are_signed_alike() {
        const FORM: &str = "application/x-www-form-urlencoded";
        const DIGEST: &str = "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e";
        let trimmed = Example {
            headers: &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
            signed_headers: "host;my-header1;my-header2;x-amz-date",
            ..Example::new(
                "get-header-value-trim",
                "GET",
                "/",
                "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
            )
        };
        let cased = Example {
            headers: &[("My-Header1", "VALUE1")],
            signed_headers: "host;my-header1;x-amz-date",
            ..Example::new(
                "post-header-value-case",
                "POST",
                "/",
                "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
            )
        };
        let form = Example {
            headers: &[("content-type", FORM), ("content-length", "13"), ("x-amz-content-sha256", DIGEST)],
            body: "Param1=value1",
            signed_headers: "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
            ..Example::new(
                "post-x-www-form-urlencoded",
                "POST",
                "/",
                "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
            )
        };
        let short_form = Example {
            headers: &[("content-type", FORM)],
            body: "Param1=value1",
            signed_headers: "content-type;host;x-amz-date",
            ..Example::new(
                "post-x-www-form-urlencoded, of the earlier suite",
                "POST",
                "/",
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            )
        };
        [trimmed, cased, form, short_form].iter().for_each(Example::holds);
    }

    #[test]
    fn the_published_examples_with_a_session_token_are_signed_alike() {
        let examples = [
            (
                "GET",
                "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267",
                "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
            ),
            (
                "POST",
                "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==",
                "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
            ),
        ];
        for (method, token, signature) in examples {
            let request = request(method, "https://example.amazonaws.com/", &[], "");
            let signed = signed(request, "service", Some(token));
            assert_eq!(signed.headers()["x-amz-security-token"], token);
            let expected =
                format!("SignedHeaders=host;x-amz-date;x-amz-security-token, Signature={signature}");
            assert!(authorization(&signed).ends_with(&expected), "{method}");
        }
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn mac(key: &[u8], text: &str) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("keys of any length");
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().to_vec()
    }

    /// The signature of a canonical request, by the published steps alone.
    fn by_hand(canonical: &str) -> String {
        let scope = "20150830/us-east-1/bedrock/aws4_request";
        let digest = hex(&Sha256::digest(canonical));
        let text = format!("AWS4-HMAC-SHA256\n20150830T123600Z\n{scope}\n{digest}");
        let secret = format!("AWS4{SECRET}").into_bytes();
        let key = scope.split('/').fold(secret, |key, part| mac(&key, part));
        hex(&mac(&key, &text))
    }

    #[test]
    fn the_path_of_a_bedrock_call_is_encoded_twice() {
        let uri = "https://bedrock-runtime.us-east-1.amazonaws.com\
                   /model/us.anthropic.claude-3-haiku-20240307-v1%3A0/converse-stream";
        let headers =
            [("content-type", "application/json"), ("accept", "application/vnd.amazon.eventstream")];
        let body = "{\"messages\":[]}";
        let signed = signed(request("POST", uri, &headers, body), "bedrock", None);
        let canonical = format!(
            "POST\n/model/us.anthropic.claude-3-haiku-20240307-v1%253A0/converse-stream\n\n\
             accept:application/vnd.amazon.eventstream\ncontent-type:application/json\n\
             host:bedrock-runtime.us-east-1.amazonaws.com\nx-amz-date:20150830T123600Z\n\n\
             accept;content-type;host;x-amz-date\n{}",
            hex(&Sha256::digest(body))
        );
        let expected = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/bedrock/aws4_request, \
             SignedHeaders=accept;content-type;host;x-amz-date, Signature={}",
            by_hand(&canonical)
        );
        assert_eq!(authorization(&signed), expected);
        assert_eq!(signed.uri().to_string(), uri, "what is sent is encoded once");
    }
}
