//! What an item says: a string or parts.

use serde_json::{Map, Value};

use super::labels_only;
use crate::protocol::canonical::{Content, Part};
use crate::protocol::fields::{BadRequest, Fields, kind};
use crate::protocol::openai::message::image_url;
use crate::protocol::openai::options::cache_control;

/// Takes the content at `name`. A single plain text is a string, whichever way it was written.
pub(super) fn read(item: &mut Fields, name: &str) -> Result<Content, BadRequest> {
    let path = item.path(name);
    let parts = match item.required(name)? {
        Value::String(text) => return Ok(Content::Text(text)),
        Value::Array(parts) => parts,
        other => {
            let got = kind(&other);
            return Err(BadRequest::new(
                &path,
                format!("{path} must be a string or an array of parts, got {got}"),
            ));
        }
    };
    let read = |(index, part): (usize, Value)| read_part(part, &format!("{path}[{index}]"));
    let mut parts = parts.into_iter().enumerate().map(read).collect::<Result<Vec<Part>, BadRequest>>()?;
    match parts.as_mut_slice() {
        [Part::Text { text, cache: None, .. }] => Ok(Content::Text(std::mem::take(text))),
        _ => Ok(Content::Parts(parts)),
    }
}

fn read_part(part: Value, path: &str) -> Result<Part, BadRequest> {
    let mut part = Fields::at(part, path)?;
    let read = match part.required_string("type")?.as_str() {
        "input_text" | "output_text" => {
            let text = text(&mut part)?;
            Part::Text { text, cache: cache_control(&mut part)?, extra: Map::new() }
        }
        "refusal" => Part::Refusal { text: part.required_string("refusal")? },
        "input_image" => image(&mut part)?,
        other => {
            let path = part.path("type");
            return Err(BadRequest::new(
                &path,
                format!(
                    "{path}: {other:?} parts are not supported; use input_text, input_image, output_text or refusal"
                ),
            ));
        }
    };
    labels_only(part)?;
    Ok(read)
}

fn text(part: &mut Fields) -> Result<String, BadRequest> {
    match part.string("text")? {
        Some(text) => Ok(text),
        None => Err(BadRequest::new(part.path("text"), format!("{} is required", part.path("text")))),
    }
}

fn image(part: &mut Fields) -> Result<Part, BadRequest> {
    if part.value("file_id").is_some() {
        let path = part.path("file_id");
        return Err(BadRequest::new(&path, format!("{path}: files are not stored here; use image_url")));
    }
    let url = image_url(part, "image_url")?;
    Ok(Part::Image { url, detail: part.string("detail")?, cache: cache_control(part)? })
}

/// Takes the texts of the list at `name`, whose members are all of type `expected`.
pub(super) fn texts(item: &mut Fields, name: &str, expected: &str) -> Result<Vec<String>, BadRequest> {
    let path = item.path(name);
    let read = |(index, part): (usize, Value)| {
        let mut part = Fields::at(part, &format!("{path}[{index}]"))?;
        if part.required_string("type")? != expected {
            let path = part.path("type");
            return Err(BadRequest::new(&path, format!("{path} must be {expected:?}")));
        }
        text(&mut part)
    };
    item.array(name)?.unwrap_or_default().into_iter().enumerate().map(read).collect()
}
