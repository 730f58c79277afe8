//! Names of models, `provider/model`: checked once, then trusted as keys, prices and on the wire.

use std::fmt;
use std::str::FromStr;

/// The provider of a name that does not say one.
const DEFAULT_PROVIDER: &str = "openai";
/// Longest accepted name, in bytes.
const LENGTH_MAX: usize = 128;

/// A model's full name, `openai/gpt-4o`. The provider is the part before the first `/`; the model
/// keeps any further ones. ASCII only, so that no look-alike letter can pass for a priced model.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelName(String);

/// Why a text names no model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelNameError {
    /// Empty, or an empty part beside a `/`.
    EmptyPart,
    /// Longer than 128 characters.
    TooLong,
    /// A character outside `A-Z a-z 0-9 . _ : / + @ -`.
    ForbiddenCharacter,
    /// A part `.` or `..`, which would climb in a URL.
    DotSegment,
    /// No provider where one must be named.
    NoProvider,
}

impl ModelName {
    /// Reads a name that must say its provider, as names in the configuration must.
    ///
    /// # Errors
    /// [`ModelNameError::NoProvider`] for a bare name, else as [`ModelName::from_str`].
    pub fn qualified(text: &str) -> Result<ModelName, ModelNameError> {
        check(text)?;
        match text.contains('/') {
            true => Ok(ModelName(text.to_owned())),
            false => Err(ModelNameError::NoProvider),
        }
    }

    /// The part before the first `/`.
    pub fn provider(&self) -> &str {
        self.split().0
    }

    /// The part after the first `/`: what the provider calls the model.
    pub fn model(&self) -> &str {
        self.split().1
    }

    /// The whole name, `provider/model`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn split(&self) -> (&str, &str) {
        self.0.split_once('/').unwrap_or((DEFAULT_PROVIDER, &self.0))
    }
}

impl FromStr for ModelName {
    type Err = ModelNameError;

    /// Reads a name as callers write it: a bare `gpt-4o` means `openai/gpt-4o`.
    ///
    /// # Errors
    /// See [`ModelNameError`].
    fn from_str(text: &str) -> Result<ModelName, ModelNameError> {
        check(text)?;
        if text.contains('/') {
            return Ok(ModelName(text.to_owned()));
        }
        let full = format!("{DEFAULT_PROVIDER}/{text}");
        check(&full).map(|()| ModelName(full))
    }
}

/// A name that must say its provider: how the configuration reads model names.
pub(super) struct Qualified(pub(super) ModelName);

impl FromStr for Qualified {
    type Err = ModelNameError;

    fn from_str(text: &str) -> Result<Qualified, ModelNameError> {
        ModelName::qualified(text).map(Qualified)
    }
}

fn check(text: &str) -> Result<(), ModelNameError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/+@-".contains(&byte);
    if text.len() > LENGTH_MAX {
        return Err(ModelNameError::TooLong);
    }
    if !text.bytes().all(allowed) {
        return Err(ModelNameError::ForbiddenCharacter);
    }
    if text.split('/').any(str::is_empty) {
        return Err(ModelNameError::EmptyPart);
    }
    match text.split('/').any(|part| part == "." || part == "..") {
        true => Err(ModelNameError::DotSegment),
        false => Ok(()),
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ModelNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ModelNameError::EmptyPart => "must be provider/model with neither part empty",
            ModelNameError::TooLong => "must have at most 128 characters",
            ModelNameError::ForbiddenCharacter => "may have only ASCII letters, digits and . _ : / + @ -",
            ModelNameError::DotSegment => "must not have a part . or ..",
            ModelNameError::NoProvider => "must name its provider, such as openai/gpt-4o",
        })
    }
}

impl std::error::Error for ModelNameError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_splits_at_the_first_slash() {
        for (text, provider, model) in [
            ("openai/gpt-4o", "openai", "gpt-4o"),
            ("gpt-4o", "openai", "gpt-4o"),
            ("demo/delay-500+cut-3", "demo", "delay-500+cut-3"),
            ("router/meta/llama-3:free", "router", "meta/llama-3:free"),
            ("vertex/claude@2024", "vertex", "claude@2024"),
        ] {
            let name: ModelName = text.parse().expect(text);
            assert_eq!((name.provider(), name.model()), (provider, model));
            assert_eq!(name.to_string(), format!("{provider}/{model}"));
        }
    }

    #[test]
    fn a_configured_name_must_say_its_provider() {
        assert_eq!(ModelName::qualified("gpt-4o"), Err(ModelNameError::NoProvider));
        assert!(ModelName::qualified("openai/gpt-4o").is_ok());
    }

    #[test]
    fn what_names_no_model_is_refused() {
        let longest = "m".repeat(LENGTH_MAX);
        for (text, why) in [
            ("", ModelNameError::EmptyPart),
            ("/gpt-4o", ModelNameError::EmptyPart),
            ("openai/", ModelNameError::EmptyPart),
            ("openai//gpt-4o", ModelNameError::EmptyPart),
            ("openai/../admin", ModelNameError::DotSegment),
            ("./gpt-4o", ModelNameError::DotSegment),
            ("openai/gpt 4o", ModelNameError::ForbiddenCharacter),
            ("openai/gpt-4о", ModelNameError::ForbiddenCharacter),
            ("openai/gpt%2f4o", ModelNameError::ForbiddenCharacter),
            ("openai/gpt\0", ModelNameError::ForbiddenCharacter),
            (&format!("a/{longest}"), ModelNameError::TooLong),
            (&longest, ModelNameError::TooLong),
        ] {
            assert_eq!(text.parse::<ModelName>(), Err(why), "{text:?}");
        }
    }
}
