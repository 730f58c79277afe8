//! Providers over HTTP: one client, one file per dialect.

mod openai;
mod response;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::client::{Reach, client};
use crate::config::{Dialect, ModelName, ProviderConfig};
use crate::domain::reservation::Reservation;
use crate::ports::{AttemptError, ChunkStream, Upstream};
use crate::protocol::canonical::ChatRequest;
use crate::protocol::openai::outbound::LimitField;

/// Every provider that can be called. Clones share their connections.
#[derive(Clone)]
pub struct Providers {
    by_name: Arc<BTreeMap<String, Provider>>,
}

struct Provider {
    client: reqwest::Client,
    /// Without a trailing slash.
    base_url: String,
    secret: Option<String>,
    limit_field: LimitField,
}

impl Providers {
    /// Takes each provider with its resolved secret. Those without a secret they need, and those of
    /// a dialect that is not built in, are left out, so that routing passes over them.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new(
        providers: impl IntoIterator<Item = (ProviderConfig, Option<String>)>,
    ) -> Result<Self, reqwest::Error> {
        let (public, any) = (client(Reach::Public)?, client(Reach::Any)?);
        let usable =
            providers.into_iter().filter(|(config, secret)| config.secret.is_none() == secret.is_none());
        let built = usable.filter_map(|(config, secret)| {
            let base_url = config.base_url.as_ref().filter(|_| config.dialect == Dialect::OpenAi)?;
            let provider = Provider {
                client: if config.local { any.clone() } else { public.clone() },
                base_url: base_url.as_str().trim_end_matches('/').to_owned(),
                secret,
                limit_field: limit_field(&config),
            };
            Some((config.name, provider))
        });
        Ok(Providers { by_name: Arc::new(built.collect()) })
    }

    /// Opens a connection to each of the named providers, so that the first request does not wait
    /// for it. Its outcome does not matter.
    pub async fn warm<'a>(&self, names: impl Iterator<Item = &'a str>) {
        let named = names.filter_map(|name| self.by_name.get(name));
        let calls = named.map(|provider| provider.client.head(&provider.base_url).send());
        futures_util::future::join_all(calls).await;
    }
}

/// OpenAI's own models want the new name; the servers that copied the dialect know the old one.
fn limit_field(config: &ProviderConfig) -> LimitField {
    let own = config.base_url.as_ref().is_some_and(|url| url.as_str().starts_with("https://api.openai.com/"));
    if own { LimitField::MaxCompletionTokens } else { LimitField::MaxTokens }
}

#[async_trait]
impl Upstream for Providers {
    async fn open(&self, paid: &Reservation, request: &ChatRequest) -> Result<ChunkStream, AttemptError> {
        match self.by_name.get(paid.target().provider()) {
            Some(provider) => openai::open(provider, paid, request).await,
            None => {
                Err(AttemptError::Connect(format!("provider {} is not configured", paid.target().provider())))
            }
        }
    }

    fn is_ready(&self, target: &ModelName) -> bool {
        self.by_name.contains_key(target.provider())
    }
}
