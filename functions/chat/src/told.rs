//! What the headers tell the cache of the prompt.

use http::HeaderMap;
use shared::app::arrival::Told;
use shared::domain::cache::{PromptVersion, is_name};
use shared::protocol::fields::BadRequest;

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
pub(crate) fn read(headers: &HeaderMap) -> Result<Told, BadRequest> {
    let locale = match text(headers, LOCALE)? {
        Some(locale) => Some(language(locale).ok_or_else(|| {
            BadRequest::new(LOCALE, format!("{LOCALE} must be a language tag such as en or pt-BR"))
        })?),
        None => text(headers, "accept-language").ok().flatten().and_then(first_language),
    };
    let prompt = text(headers, PROMPT)?.map(prompt).transpose()?;
    Ok(Told { prompt, tags: tags(headers)?, locale })
}

fn text<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, BadRequest> {
    let value = headers.get(name).map(|value| value.to_str().map(str::trim));
    value.transpose().map_err(|_| BadRequest::new(name, format!("{name} must be plain ASCII")))
}

fn prompt(text: &str) -> Result<PromptVersion, BadRequest> {
    PromptVersion::parse(text).ok_or_else(|| {
        let form = "ID@VERSION, each of 1 to 100 letters, digits, '.', '_', '-' and '/'";
        BadRequest::new(PROMPT, format!("{PROMPT} must be {form}"))
    })
}

fn tags(headers: &HeaderMap) -> Result<Vec<String>, BadRequest> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn told(headers: &[(&'static str, &str)]) -> Result<Told, String> {
        let map = headers.iter().map(|(name, value)| {
            (http::HeaderName::from_static(name), value.parse().expect("a header's value"))
        });
        read(&map.collect()).map_err(|fault| fault.param)
    }

    #[test]
    fn prompt_tags_and_locale_are_read() {
        let read = told(&[(PROMPT, "support/faq@12"), (TAGS, "b, a,,b"), (LOCALE, "pt-BR")]).expect("valid");
        let prompt = PromptVersion { id: "support/faq".to_owned(), version: "12".to_owned() };
        assert_eq!(read.prompt, Some(prompt));
        assert_eq!(read.tags, ["a", "b"]);
        assert_eq!(read.locale.as_deref(), Some("pt-br"));
        assert_eq!(told(&[]), Ok(Told::default()));
    }

    #[test]
    fn a_bad_header_is_named() {
        for bad in ["faq", "@1", "faq@", "faq@1@2", "a b@1"] {
            assert_eq!(told(&[(PROMPT, bad)]), Err(PROMPT.to_owned()), "{bad}");
        }
        for bad in [
            "a b",
            "\u{e9}",
            &["x"; 17]
                .map(str::to_owned)
                .iter()
                .enumerate()
                .map(|(n, x)| format!("{x}{n}"))
                .collect::<Vec<_>>()
                .join(","),
        ] {
            assert_eq!(told(&[(TAGS, bad)]), Err(TAGS.to_owned()), "{bad}");
        }
        for bad in ["", "en_US", "*", "en-", "much-too-long-a-language-tag-to-be-one"] {
            assert_eq!(told(&[(LOCALE, bad)]), Err(LOCALE.to_owned()), "{bad}");
        }
    }

    #[test]
    fn the_first_accepted_language_stands_in_and_may_be_anything() {
        let locale = |value: &str| told(&[("accept-language", value)]).expect("never refused").locale;
        assert_eq!(locale("de-CH, de;q=0.9, en;q=0.8").as_deref(), Some("de-ch"));
        assert_eq!(locale("fr;q=0.5").as_deref(), Some("fr"));
        for none in ["*", "", "en_US", "\u{e9}"] {
            assert_eq!(locale(none), None, "{none}");
        }
        let both = told(&[("accept-language", "de"), (LOCALE, "en")]).expect("valid");
        assert_eq!(both.locale.as_deref(), Some("en"));
    }
}
