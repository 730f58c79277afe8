//! Makes kept answers stale before their time.
//!
//! Any key may invalidate what its own tenant has kept, whoever of the tenant kept it: the worst that
//! comes of it is a miss. The admin may for every tenant. Browser-safe tokens may not.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::app::authenticate::Caller;
use crate::app::error::GatewayError;
use crate::app::lookup::ttl;
use crate::app::unavailable::Unavailable;
use crate::app::warm_marks::WarmMarks;
use crate::config::{Cache, ModelName};
use crate::domain::cache::{CachePartition, Mark, PromptVersion, Selector, is_name};
use crate::ports::Clock;
use crate::protocol::fields::{BadRequest, Fields};

/// Marks of one tenant that stand side by side: every instance reads all of them, time and again.
pub const MARKS_MAX: usize = 1_000;
/// How far the clocks of two instances may differ before a mark goes too soon.
const SKEW: Duration = Duration::from_secs(3_600);
const SELECTORS: &str = "all, partition, model, prompt or tag";

/// What invalidating needs.
pub struct Invalidator {
    pub cache: Cache,
    pub marks: Arc<WarmMarks>,
    pub clock: Arc<dyn Clock>,
}

/// Who asks for it.
#[derive(Clone, Copy, Debug)]
pub enum Asker<'a> {
    Admin,
    Key(&'a Caller),
}

/// The mark that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Invalidated {
    pub tenant: String,
    pub selector: Selector,
    /// Answers to requests up to then are stale.
    pub at: String,
}

/// Notes the mark that `body` asks for: one of `all` (true), `partition`, `model`, `prompt` (an id or
/// `ID@VERSION`) and `tag`, and of an admin the `tenant`.
///
/// # Errors
/// [`GatewayError::BadRequest`] naming the field; [`GatewayError::TokenForbidden`];
/// [`GatewayError::Unavailable`]: the mark may not stand.
pub async fn invalidate(
    invalidator: &Invalidator,
    asker: Asker<'_>,
    body: Map<String, Value>,
) -> Result<Invalidated, GatewayError> {
    let mut fields = Fields::new(body);
    let tenant = tenant(asker, &mut fields)?;
    let selector = selector(&mut fields)?;
    fields.nothing_else()?;
    let at = invalidator.clock.now();
    let mark = Mark { tenant, selector, at };
    let failed = |error| Unavailable::Invalidation.because(error);
    let standing = invalidator.marks.read().await.map_err(failed)?;
    let of_tenant = standing.marks.iter().filter(|other| other.tenant == mark.tenant);
    let is_known = of_tenant.clone().any(|other| other.selector == mark.selector);
    if !is_known && mark.selector != Selector::Tenant && of_tenant.count() >= MARKS_MAX {
        let text = format!("{MARKS_MAX} invalidations stand already; invalidate everything with all: true");
        return Err(BadRequest::new("", text).into());
    }
    let expires = at + ttl(&invalidator.cache) + SKEW;
    invalidator.marks.mark(&mark, expires).await.map_err(failed)?;
    Ok(Invalidated { tenant: mark.tenant, selector: mark.selector, at: at.rfc3339() })
}

fn tenant(asker: Asker<'_>, fields: &mut Fields) -> Result<String, GatewayError> {
    match asker {
        Asker::Admin => Ok(fields.required_string("tenant")?),
        Asker::Key(caller) if caller.claims().is_some() => Err(GatewayError::TokenForbidden),
        Asker::Key(caller) => match fields.string("tenant")? {
            Some(other) if other != caller.record().tenant => {
                Err(BadRequest::new("tenant", "only the admin key may choose a tenant").into())
            }
            _ => Ok(caller.record().tenant.clone()),
        },
    }
}

fn selector(fields: &mut Fields) -> Result<Selector, BadRequest> {
    let all = match fields.boolean("all")? {
        Some(false) => return Err(BadRequest::new("all", "all must be true, or left out")),
        Some(true) => Some(Selector::Tenant),
        None => None,
    };
    let partition = fields.string("partition")?.map(|text| partition(&text)).transpose()?;
    let model = fields.string("model")?.map(|text| model(&text)).transpose()?;
    let prompt = fields.string("prompt")?.map(|text| prompt(&text)).transpose()?;
    let tag = fields.string("tag")?.map(|text| tag(&text)).transpose()?;
    let mut named = [all, partition, model, prompt, tag].into_iter().flatten();
    match (named.next(), named.next()) {
        (Some(selector), None) => Ok(selector),
        (None, _) => Err(BadRequest::new("", format!("say what is stale: {SELECTORS}"))),
        (Some(_), Some(_)) => Err(BadRequest::new("", format!("name only one of {SELECTORS}"))),
    }
}

fn partition(text: &str) -> Result<Selector, BadRequest> {
    let partition = CachePartition::parse(text);
    let wrong = || BadRequest::new("partition", "partition must have 64 hexadecimal digits");
    partition.map(Selector::Partition).ok_or_else(wrong)
}

fn prompt(text: &str) -> Result<Selector, BadRequest> {
    match PromptVersion::parse(text) {
        Some(PromptVersion { id, version }) => Ok(Selector::PromptVersion { id, version }),
        None if is_name(text) => Ok(Selector::Prompt(text.to_owned())),
        None => {
            Err(BadRequest::new("prompt", "prompt must be ID or ID@VERSION, as x-tollgate-prompt has it"))
        }
    }
}

fn tag(text: &str) -> Result<Selector, BadRequest> {
    match is_name(text) {
        true => Ok(Selector::Tag(text.to_owned())),
        false => Err(BadRequest::new("tag", "tag must be one tag, as x-tollgate-cache-tags has it")),
    }
}

fn model(text: &str) -> Result<Selector, BadRequest> {
    let name: Result<ModelName, _> = text.parse();
    let wrong = |_| BadRequest::new("model", "model must be a model name such as openai/gpt-4o");
    name.map(|name| Selector::Model(name.to_string())).map_err(wrong)
}
