//! One provider: where it is, who we are to it, and a call of it.

use bytes::Bytes;
use http::HeaderName;

use super::Surroundings;
use super::response::{send_error, status_error};
use super::secret::Secret;
use crate::config::{Dialect, ProviderConfig};
use crate::ports::AttemptError;
use crate::protocol::outbound::{Flavour, Outbound};
use crate::signing::{Account, Signer};

/// The service that calls of Bedrock are signed for.
const BEDROCK: &str = "bedrock";
/// The version of the Messages API that is spoken.
const ANTHROPIC_VERSION: &str = "2023-06-01";

pub(super) struct Provider {
    pub(super) outbound: Outbound,
    client: reqwest::Client,
    /// Without a trailing slash.
    base_url: String,
    identity: Identity,
    config: ProviderConfig,
    surroundings: Surroundings,
}

/// How a call says whose it is.
enum Identity {
    Nobody,
    Bearer(Secret),
    /// `x-api-key`.
    ApiKey(Secret),
    /// AWS Signature Version 4 by this account.
    Signature(Account),
}

/// A call that does not yet say whose it is.
pub(super) struct Draft {
    /// Behind the base URL, with its slash.
    pub(super) path: String,
    pub(super) accept: &'static str,
    pub(super) headers: Vec<(HeaderName, String)>,
    pub(super) body: Bytes,
}

impl Provider {
    /// `None` when the provider cannot be called: a signature is needed and nobody can give one.
    pub(super) fn new(
        config: ProviderConfig,
        secret: Option<String>,
        client: reqwest::Client,
        surroundings: Surroundings,
    ) -> Option<Self> {
        let outbound = outbound(&config);
        let secret = config.secret.clone().zip(secret).map(|(reference, now)| Secret::new(reference, now));
        let region = config.region.clone().or(surroundings.account.as_ref().map(|a| a.region.clone()));
        let identity = match (outbound, secret) {
            (Outbound::Anthropic, Some(secret)) => Identity::ApiKey(secret),
            (Outbound::OpenAi(_) | Outbound::Bedrock, Some(secret)) => Identity::Bearer(secret),
            (Outbound::OpenAi(_) | Outbound::Anthropic, None) => Identity::Nobody,
            (Outbound::Bedrock, None) => {
                let account = surroundings.account.clone()?;
                Identity::Signature(Account { region: region.clone()?, ..account })
            }
        };
        let regional = || Some(format!("https://bedrock-runtime.{}.amazonaws.com", region?));
        let base_url = match &config.base_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => regional()?,
        };
        Some(Provider { outbound, client, base_url, identity, config, surroundings })
    }

    /// The provider's own name for a model.
    pub(super) fn model<'a>(&'a self, name: &'a str) -> &'a str {
        self.config.model_id(name)
    }

    pub(super) async fn warm(&self) {
        let _ = self.client.head(&self.base_url).send().await;
    }

    /// Sends the call and returns a success. A secret that is refused is looked up once more, since
    /// it may have been replaced; what was refused for its secret is not billed.
    pub(super) async fn send(&self, draft: &Draft) -> Result<reqwest::Response, AttemptError> {
        let mut response = self.send_once(draft).await?;
        if response.status().as_u16() == 401
            && let Identity::Bearer(secret) | Identity::ApiKey(secret) = &self.identity
            && secret.renew(self.surroundings.secrets.as_ref(), self.surroundings.clock.now()).await
        {
            response = self.send_once(draft).await?;
        }
        match response.status().is_success() {
            true => Ok(response),
            false => Err(self.without_secret(status_error(response).await)),
        }
    }

    /// Some providers repeat the secret that they refuse, and a caller may be told what they say.
    fn without_secret(&self, error: AttemptError) -> AttemptError {
        let (Identity::Bearer(secret) | Identity::ApiKey(secret)) = &self.identity else { return error };
        match error {
            AttemptError::Status { status, message, code, retry_after } => {
                let message = message.replace(&secret.now(), "[secret]");
                AttemptError::Status { status, message, code, retry_after }
            }
            other => other,
        }
    }

    async fn send_once(&self, draft: &Draft) -> Result<reqwest::Response, AttemptError> {
        let unsent = |why: String| AttemptError::Connect(why);
        let mut request = http::Request::post(format!("{}{}", self.base_url, draft.path))
            .header("content-type", "application/json")
            .header("accept", draft.accept);
        for (name, value) in &draft.headers {
            request = request.header(name, value);
        }
        request = match &self.identity {
            Identity::Nobody | Identity::Signature(_) => request,
            Identity::Bearer(secret) => request.header("authorization", format!("Bearer {}", secret.now())),
            Identity::ApiKey(secret) => request.header("x-api-key", secret.now()),
        };
        if self.outbound == Outbound::Anthropic {
            request = request.header("anthropic-version", ANTHROPIC_VERSION);
        }
        // The error may quote a header, and so the secret.
        let built = request.body(draft.body.clone());
        let mut request = built.map_err(|_| unsent("the request cannot be written".to_owned()))?;
        if let Identity::Signature(account) = &self.identity {
            let now = self.surroundings.clock.now();
            let (credentials, region) = (&account.credentials, account.region.as_str());
            Signer { credentials, region, service: BEDROCK, now }.sign(&mut request).map_err(unsent)?;
        }
        let request = reqwest::Request::try_from(request).map_err(|error| unsent(error.to_string()))?;
        self.client.execute(request).await.map_err(send_error)
    }
}

fn outbound(config: &ProviderConfig) -> Outbound {
    let starts = |prefix: &str| config.base_url.as_ref().is_some_and(|url| url.as_str().starts_with(prefix));
    match config.dialect {
        Dialect::Anthropic => Outbound::Anthropic,
        Dialect::Bedrock => Outbound::Bedrock,
        Dialect::OpenAi if starts("https://api.openai.com/") => Outbound::OpenAi(Flavour::Official),
        Dialect::OpenAi if starts("https://generativelanguage.googleapis.com/") => {
            Outbound::OpenAi(Flavour::Google)
        }
        Dialect::OpenAi => Outbound::OpenAi(Flavour::Compatible),
    }
}
