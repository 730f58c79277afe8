//! Names of the catalogue's providers and models, as price lists have them.

use super::super::model_name::ModelName;

/// Providers that price lists know by another name.
const PROVIDERS: &[(&str, &str)] =
    &[("gemini", "google"), ("bedrock_converse", "bedrock"), ("cohere_chat", "cohere")];

/// What price lists call the provider `listed`. What follows a `-` tells families of models apart.
pub(super) fn provider(listed: &str) -> &str {
    let family = listed.split('-').next().unwrap_or(listed);
    PROVIDERS.iter().find(|(theirs, _)| *theirs == family).map_or(family, |(_, ours)| *ours)
}

/// The full name of the model that the catalogue lists as `entry` at `listed`.
///
/// # Errors
/// When the entry is one region's or one commitment's price, or its name is no model's.
pub(super) fn model(entry: &str, listed: &str) -> Result<ModelName, String> {
    let ours = provider(listed);
    let family = listed.split('-').next().unwrap_or(listed);
    let prefix = [listed, family, ours].into_iter().find_map(|prefix| {
        let rest = entry.strip_prefix(prefix)?;
        rest.strip_prefix('/')
    });
    let model = prefix.unwrap_or(entry);
    if ours == "bedrock" && model.contains('/') {
        return Err("is the price of one region or of a commitment".to_owned());
    }
    ModelName::qualified(&format!("{ours}/{model}")).map_err(|error| format!("as a model's name {error}"))
}
