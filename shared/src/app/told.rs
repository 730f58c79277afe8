//! What the headers tell the cache of the prompt.

use super::arrival::Told;
use crate::domain::cache::{PromptVersion, is_name};
use crate::protocol::fields::BadRequest;

/// The value of the header with this name, in bytes.
pub type Header<'a> = &'a dyn Fn(&'static str) -> Option<&'a [u8]>;

const PROMPT: &str = "x-tollgate-prompt";
const TAGS: &str = "x-tollgate-cache-tags";
const LOCALE: &str = "x-tollgate-locale";

/// Tags of one answer.
const TAGS_MAX: usize = 16;
/// The longest language tag that RFC 5646 asks everybody to take.
const LOCALE_MAX: usize = 35;

/// Reads `x-tollgate-prompt`, `x-tollgate-cache-tags`, and `x-tollgate-locale` or else the first
/// language of `accept-language`, of which a bad one counts as none.
///
/// # Errors
/// Names the header at fault.
pub fn read(headers: Header<'_>) -> Result<Told, BadRequest> {
    let locale = match text(headers, LOCALE)? {
        Some(locale) => Some(language(locale).ok_or_else(|| {
            BadRequest::new(LOCALE, format!("{LOCALE} must be a language tag such as en or pt-BR"))
        })?),
        None => text(headers, "accept-language").ok().flatten().and_then(first_language),
    };
    let prompt = text(headers, PROMPT)?.map(prompt).transpose()?;
    Ok(Told { prompt, tags: tags(headers)?, locale })
}

fn text<'a>(headers: Header<'a>, name: &'static str) -> Result<Option<&'a str>, BadRequest> {
    let plain =
        |value: &'a [u8]| std::str::from_utf8(value).ok().filter(|text| is_visible(text)).map(str::trim);
    let Some(value) = headers(name) else { return Ok(None) };
    plain(value).map(Some).ok_or_else(|| BadRequest::new(name, format!("{name} must be plain ASCII")))
}

fn is_visible(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
}

fn prompt(text: &str) -> Result<PromptVersion, BadRequest> {
    PromptVersion::parse(text).ok_or_else(|| {
        let form = "ID@VERSION, each of 1 to 100 letters, digits, '.', '_', '-' and '/'";
        BadRequest::new(PROMPT, format!("{PROMPT} must be {form}"))
    })
}

fn tags(headers: Header<'_>) -> Result<Vec<String>, BadRequest> {
    let list = text(headers, TAGS)?.unwrap_or_default();
    let mut tags: Vec<String> =
        list.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect();
    tags.sort_unstable();
    tags.dedup();
    match tags.len() <= TAGS_MAX && tags.iter().all(|tag| is_name(tag)) {
        true => Ok(tags),
        false => {
            let form = "each of 1 to 100 letters, digits, '.', '_', '-' and '/'";
            Err(BadRequest::new(
                TAGS,
                format!("{TAGS} must be at most {TAGS_MAX} tags joined by commas, {form}"),
            ))
        }
    }
}

/// Browsers and HTTP libraries send this header unasked, and some send what is no tag.
fn first_language(list: &str) -> Option<String> {
    let first = list.split(',').next().unwrap_or_default();
    language(first.split(';').next().unwrap_or_default().trim())
}

/// A language tag in lower case.
fn language(tag: &str) -> Option<String> {
    let is_subtag =
        |part: &str| (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric());
    let is_tag = tag.len() <= LOCALE_MAX && tag.split('-').all(is_subtag);
    is_tag.then(|| tag.to_ascii_lowercase())
}
