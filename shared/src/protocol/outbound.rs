//! The dialects that providers speak.

/// How a provider wants to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outbound {
    /// Chat completions.
    OpenAi(Flavour),
    /// Messages.
    Anthropic,
    /// Bedrock's ConverseStream.
    Bedrock,
}

/// Whose chat completions they are: the dialect has grown apart in a few fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// OpenAI's own: takes the output limit under its new name and no reasoning in the history.
    Official,
    /// Gemini behind its compatible endpoint: tool calls go back with the seal on their thought.
    Google,
    /// Everybody who copied the dialect before the output limit was renamed.
    Compatible,
}
