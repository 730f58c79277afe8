//! Entries that the operator writes: pairs of question and answer, kept where the requests that
//! ask them will look.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Indexer, index};
use crate::app::arrival::Told;
use crate::app::error::GatewayError;
use crate::app::lookup::{Asked, Standing, standing, ttl};
use crate::app::unavailable::Unavailable;
use crate::config::ModelName;
use crate::domain::cache::{PromptVersion, SEEDED, is_name};
use crate::domain::key::KeyRecord;
use crate::ports::{FindKey, IndexJob, StoreError};
use crate::protocol::answer::{Answer, Choice};
use crate::protocol::canonical::FinishReason;
use crate::protocol::dialect::Dialect;
use crate::protocol::fields::{BadRequest, Fields};

/// Pairs of one call.
pub const ENTRIES_MAX: usize = 100;

/// What seeding needs.
#[derive(Clone, Copy)]
pub struct Seeding<'a> {
    pub indexer: &'a Indexer,
    pub keys: &'a dyn FindKey,
    /// The model of a request that names none.
    pub primary: &'a ModelName,
}

/// What became of the pairs. Writing them again changes nothing but their age.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Seeded {
    pub stored: usize,
    /// Those whose request would pass the cache by.
    pub refused: Vec<Unseeded>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unseeded {
    /// Of the pair in the call, from 0.
    pub index: usize,
    pub reason: &'static str,
}

/// For whom, and by which request the questions will be asked.
struct Template {
    record: KeyRecord,
    request: Map<String, Value>,
    told: Told,
}

/// Keeps and indexes the pairs under `entries`, each `{question, answer}`, for requests under the
/// key with the id `key`. `request` is a body of `/v1/chat/completions` less the question, which is
/// put behind its messages; `prompt` (`ID@VERSION`), `tags` and `locale` are what the headers of the
/// requests will say.
///
/// # Errors
/// [`GatewayError::BadRequest`] naming the field, [`GatewayError::NotFound`] for the key,
/// [`GatewayError::Unavailable`]: some may be stored, and all may be sent again.
pub async fn seed(seeding: Seeding<'_>, body: Map<String, Value>) -> Result<Seeded, GatewayError> {
    let mut fields = Fields::new(body);
    let template = template(seeding, &mut fields).await?;
    let pairs = pairs(&mut fields)?;
    fields.nothing_else()?;
    let mut seeded = Seeded::default();
    for (position, (question, answer)) in pairs.into_iter().enumerate() {
        match keep(seeding, &template, &question, answer).await? {
            None => seeded.stored += 1,
            Some(reason) => seeded.refused.push(Unseeded { index: position, reason }),
        }
    }
    Ok(seeded)
}

async fn template(seeding: Seeding<'_>, fields: &mut Fields) -> Result<Template, GatewayError> {
    let key = fields.required_string("key")?;
    let request = fields.value("request").unwrap_or_else(|| json!({}));
    let Value::Object(request) = request else {
        return Err(BadRequest::new("request", "request must be an object").into());
    };
    let told = told(fields)?;
    let record = seeding.keys.find(&key).await.map_err(|error| Unavailable::Keys.because(error))?;
    let record =
        record.ok_or_else(|| GatewayError::NotFound { what: format!("a key with the id {key:?}") })?;
    Ok(Template { record, request, told })
}

fn told(fields: &mut Fields) -> Result<Told, BadRequest> {
    let wrong = |name: &str, form: &str| BadRequest::new(name, format!("{name} must be {form}"));
    let prompt = match fields.string("prompt")? {
        Some(text) => Some(PromptVersion::parse(&text).ok_or_else(|| wrong("prompt", "ID@VERSION"))?),
        None => None,
    };
    let tags: Vec<String> = fields
        .array("tags")?
        .unwrap_or_default()
        .iter()
        .map(|tag| tag.as_str().filter(|tag| is_name(tag)).map(str::to_owned))
        .collect::<Option<_>>()
        .ok_or_else(|| wrong("tags", "a list of tags, as x-tollgate-cache-tags has them"))?;
    let locale = fields.string("locale")?.map(|locale| locale.to_ascii_lowercase());
    Ok(Told { prompt, tags, locale })
}

fn pairs(fields: &mut Fields) -> Result<Vec<(String, String)>, BadRequest> {
    let entries = fields.array("entries")?.unwrap_or_default();
    if entries.is_empty() || entries.len() > ENTRIES_MAX {
        return Err(BadRequest::new(
            "entries",
            format!("entries must be a list of 1 to {ENTRIES_MAX} pairs"),
        ));
    }
    let read = |(index, entry): (usize, Value)| {
        let mut pair = Fields::at(entry, &format!("entries[{index}]"))?;
        let read = (pair.required_string("question")?, pair.required_string("answer")?);
        pair.nothing_else().map(|()| read)
    };
    entries.into_iter().enumerate().map(read).collect()
}

/// Keeps one pair; else says why the cache would be passed by.
async fn keep(
    seeding: Seeding<'_>,
    template: &Template,
    question: &str,
    answer: String,
) -> Result<Option<&'static str>, GatewayError> {
    let inbound = Dialect::OpenAi.read(asking(seeding, &template.request, question)).map_err(|fault| {
        BadRequest::new(format!("request.{}", fault.param), format!("request: {}", fault.message))
    })?;
    let model: ModelName = match inbound.model {
        Some(name) => name.parse().map_err(|_| GatewayError::UnknownModel { model: name.clone() })?,
        None => seeding.primary.clone(),
    };
    let (record, request, told) = (&template.record, &inbound.request, &template.told);
    let asked = Asked { model: &model, request, told, no_cache: false };
    let cache = &seeding.indexer.cache;
    let place = match standing(cache, record, &asked) {
        Standing::Kept(place) => place,
        Standing::Bypass(reason) => return Ok(Some(reason)),
    };
    let created_at = seeding.indexer.clock.now();
    let entry = place.entry(&record.tenant, written(answer), &model, created_at);
    let write = async {
        seeding.indexer.answers.put(&place.key, &entry, created_at + ttl(cache)).await?;
        index(seeding.indexer, &IndexJob { key: place.key.clone(), candidate: None }).await
    };
    write.await.map(|_| None).map_err(|error: StoreError| Unavailable::Seeding.because(error))
}

/// The request with the question behind its messages, and with a model.
fn asking(seeding: Seeding<'_>, request: &Map<String, Value>, question: &str) -> Map<String, Value> {
    let mut request = request.clone();
    request.entry("model").or_insert_with(|| json!(seeding.primary.as_str()));
    let question = json!({ "role": "user", "content": question });
    match request.get_mut("messages") {
        Some(Value::Array(messages)) => messages.push(question),
        _ => {
            request.insert("messages".to_owned(), json!([question]));
        }
    }
    request
}

fn written(answer: String) -> Answer {
    let choice = Choice { content: Some(answer), finish: Some(FinishReason::Stop), ..Choice::default() };
    Answer { model: Some(SEEDED.to_owned()), choices: vec![choice], ..Answer::default() }
}
