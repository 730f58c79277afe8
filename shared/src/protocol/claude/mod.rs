//! What a Claude model can be asked, told from its name, on Anthropic's API and on Bedrock.

pub mod thinking;

/// The generation of a Claude model, `4.5` as `(4, 5)`; none for a model that is no Claude, such as
/// one of another server that speaks Messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claude {
    generation: Option<(u32, u32)>,
}

/// How a model is told to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThinkingStyle {
    /// It cannot.
    Never,
    /// With a budget of tokens.
    Budget,
    /// As it sees fit, guided by an effort. A budget is refused.
    Adaptive,
}

impl Claude {
    /// Reads `claude-3-5-sonnet-20241022`, `claude-sonnet-4-5`, `us.anthropic.claude-opus-4-1-v1:0`
    /// and their like. A name with a single number, `claude-sonnet-4-20250514`, is generation `.0`.
    pub fn named(model: &str) -> Self {
        let Some((_, rest)) = model.split_once("claude-") else {
            return Claude { generation: None };
        };
        // Dates have eight digits, and `v1:0` begins with a letter.
        let number = |word: &str| word.parse::<u32>().ok().filter(|_| word.len() <= 2);
        let mut numbers = rest.split(['-', '.', '@', ':']).map(number).skip_while(Option::is_none);
        let generation = numbers.next().flatten().map(|major| {
            let minor = numbers.next().flatten();
            (major, minor.unwrap_or(0))
        });
        // A Claude without a number is newer than any that is known here.
        Claude { generation: generation.or(Some((u32::MAX, 0))) }
    }

    pub fn is_claude(self) -> bool {
        self.generation.is_some()
    }

    /// Source: Anthropic's documentation of extended and adaptive thinking: budgets since 3.7,
    /// adaptive since 4.6, budgets refused since 4.7.
    pub fn thinking(self) -> ThinkingStyle {
        match self.generation {
            None => ThinkingStyle::Budget,
            Some(generation) if generation < (3, 7) => ThinkingStyle::Never,
            Some(generation) if generation < (4, 6) => ThinkingStyle::Budget,
            Some(_) => ThinkingStyle::Adaptive,
        }
    }

    /// Whether temperature, `top_p` and `top_k` can be set; since 4.7 anything but the default is refused.
    /// Source: Anthropic's documentation of thinking and its migration guide to 4.7.
    pub fn takes_sampling(self) -> bool {
        self.generation.is_none_or(|generation| generation < (4, 7))
    }

    /// Whether temperature and `top_p` can be set together: the API has refused it since 4.1.
    pub fn takes_temperature_beside_top_p(self) -> bool {
        self.generation.is_none_or(|generation| generation < (4, 1))
    }

    /// Whether the system may speak between turns.
    /// Source: Anthropic's documentation of mid-conversation system messages.
    pub fn takes_system_turns(self) -> bool {
        self.generation.is_some_and(|generation| generation >= (4, 8))
    }

    /// Whether the format of the answer can be stated; older models are made to call a tool.
    /// Source: Anthropic's documentation of structured outputs. Opus 4.1 can too; its tool works as well.
    pub fn takes_format(self) -> bool {
        self.generation.is_some_and(|generation| generation >= (4, 5))
    }

    /// Whether it knows an effort between high and max. Source: Anthropic's notes on Claude Opus 4.7.
    pub fn takes_xhigh(self) -> bool {
        self.generation.is_some_and(|generation| generation >= (4, 7))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generation_is_told_from_the_name() {
        let cases = [
            ("claude-3-5-sonnet-20241022", (3, 5)),
            ("claude-3-haiku-20240307", (3, 0)),
            ("claude-3-7-sonnet-latest", (3, 7)),
            ("claude-sonnet-4-20250514", (4, 0)),
            ("claude-sonnet-4-5", (4, 5)),
            ("claude-opus-4-1-20250805", (4, 1)),
            ("us.anthropic.claude-opus-4-6-v1", (4, 6)),
            ("anthropic.claude-3-5-sonnet-20240620-v1:0", (3, 5)),
            ("anthropic.claude-sonnet-4-5-20250929-v1:0", (4, 5)),
            ("claude-fable-5", (5, 0)),
        ];
        for (name, generation) in cases {
            assert_eq!(Claude::named(name), Claude { generation: Some(generation) }, "{name}");
        }
        assert!(!Claude::named("smollm2").is_claude());
    }

    #[test]
    fn abilities_follow_the_generation() {
        let thinking = |name: &str| Claude::named(name).thinking();
        assert_eq!(thinking("claude-3-5-sonnet"), ThinkingStyle::Never);
        assert_eq!(thinking("claude-sonnet-4-5"), ThinkingStyle::Budget);
        assert_eq!(thinking("claude-opus-4-8"), ThinkingStyle::Adaptive);
        assert_eq!(thinking("deepseek-chat"), ThinkingStyle::Budget);
        assert!(Claude::named("claude-haiku-4-5").takes_format());
        assert!(!Claude::named("claude-3-5-sonnet").takes_format());
        assert!(!Claude::named("smollm2").takes_format());
        assert!(Claude::named("claude-opus-4-6").takes_sampling());
        assert!(!Claude::named("claude-opus-4-7").takes_sampling());
        assert!(Claude::named("claude-sonnet-4-20250514").takes_temperature_beside_top_p());
        assert!(!Claude::named("claude-sonnet-4-5").takes_temperature_beside_top_p());
        assert!(Claude::named("claude-opus-4-8").takes_system_turns());
        assert!(!Claude::named("smollm2").takes_system_turns());
    }
}
