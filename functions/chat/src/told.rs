//! What the headers tell the cache of the prompt.

use http::HeaderMap;
use shared::app::arrival::Told;
use shared::app::told;
use shared::protocol::fields::BadRequest;

/// # Errors
/// Names the header at fault.
pub(crate) fn read(headers: &HeaderMap) -> Result<Told, BadRequest> {
    told::read(&|name| headers.get(name).map(http::HeaderValue::as_bytes))
}

#[cfg(test)]
mod tests {
    use shared::domain::cache::PromptVersion;

    use super::*;

    const PROMPT: &str = "x-tollgate-prompt";
    const TAGS: &str = "x-tollgate-cache-tags";
    const LOCALE: &str = "x-tollgate-locale";

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
