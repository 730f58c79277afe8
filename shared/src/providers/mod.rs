//! Providers over HTTP: one client, one file per dialect.

mod anthropic;
mod bedrock;
mod embeddings;
mod openai;
mod provider;
mod response;
mod secret;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::client::{Reach, client};
use crate::config::{ModelName, ProviderConfig};
use crate::domain::reservation::Reservation;
use crate::ports::{AttemptError, ChunkStream, Clock, CountTokens, EmbedText, FindSecret, Upstream};
use crate::protocol::canonical::ChatRequest;
use crate::protocol::embeddings::{EmbedRequest, Embeddings};
use crate::protocol::outbound::Outbound;
use crate::signing::Account;
use provider::Provider;

/// Every provider that can be called. Clones share their connections.
#[derive(Clone)]
pub struct Providers {
    by_name: Arc<BTreeMap<String, Provider>>,
}

/// What providers need of the outside.
#[derive(Clone)]
pub struct Surroundings {
    /// Asked again when a provider refuses a secret.
    pub secrets: Arc<dyn FindSecret>,
    /// Who signs calls of Bedrock; none where AWS is not set up.
    pub account: Option<Account>,
    pub clock: Arc<dyn Clock>,
}

impl Providers {
    /// Takes each provider with its resolved secret. Those without a secret they need are left out,
    /// so that routing passes over them.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new(
        providers: impl IntoIterator<Item = (ProviderConfig, Option<String>)>,
        surroundings: &Surroundings,
    ) -> Result<Self, reqwest::Error> {
        let (public, any) = (client(Reach::Public)?, client(Reach::Any)?);
        let usable =
            providers.into_iter().filter(|(config, secret)| config.secret.is_none() == secret.is_none());
        let built = usable.filter_map(|(config, secret)| {
            let client = if config.local { any.clone() } else { public.clone() };
            let name = config.name.clone();
            Some((name, Provider::new(config, secret, client, surroundings.clone())?))
        });
        Ok(Providers { by_name: Arc::new(built.collect()) })
    }

    /// Opens a connection to each of the named providers, so that the first request does not wait
    /// for it. Its outcome does not matter.
    pub async fn warm<'a>(&self, names: impl Iterator<Item = &'a str>) {
        let named = names.filter_map(|name| self.by_name.get(name));
        futures_util::future::join_all(named.map(Provider::warm)).await;
    }

    fn provider(&self, target: &ModelName) -> Result<&Provider, AttemptError> {
        let unknown = || AttemptError::Connect(format!("provider {} is not configured", target.provider()));
        self.by_name.get(target.provider()).ok_or_else(unknown)
    }
}

#[async_trait]
impl EmbedText for Providers {
    async fn embed(&self, paid: &Reservation, request: &EmbedRequest) -> Result<Embeddings, AttemptError> {
        embeddings::embed(self.provider(paid.target())?, paid, request).await
    }
}

#[async_trait]
impl CountTokens for Providers {
    async fn count(&self, target: &ModelName, request: &ChatRequest) -> Result<u64, AttemptError> {
        anthropic::count(self.provider(target)?, target, request).await
    }
}

#[async_trait]
impl Upstream for Providers {
    async fn open(&self, paid: &Reservation, request: &ChatRequest) -> Result<ChunkStream, AttemptError> {
        let provider = self.provider(paid.target())?;
        match provider.outbound {
            Outbound::OpenAi(flavour) => openai::open(provider, flavour, paid, request).await,
            Outbound::Anthropic => anthropic::open(provider, paid, request).await,
            Outbound::Bedrock => bedrock::open(provider, paid, request).await,
        }
    }

    fn outbound(&self, target: &ModelName) -> Option<Outbound> {
        self.by_name.get(target.provider()).map(|provider| provider.outbound)
    }
}

#[cfg(test)]
mod tests;
