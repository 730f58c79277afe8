//! The script of an answer, parsed from a model name such as `delay-500+cut-3`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

const MAX_TOKENS: u64 = 100_000;
const MAX_MILLIS: u64 = 3_600_000;
/// Errors that providers report inside a stream.
const IN_STREAM: [u16; 5] = [424, 429, 500, 503, 529];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Script {
    /// Length of the answer; `None` is the standard sentence.
    pub(super) tokens: Option<usize>,
    /// Wait before the first token.
    pub(super) delay: Duration,
    /// Wait between tokens.
    pub(super) pace: Duration,
    pub(super) usage: bool,
    pub(super) tool: bool,
    /// The output limit is ignored.
    pub(super) deaf: bool,
    pub(super) fault: Option<Fault>,
}

/// How the answer goes wrong. The numbers of the last six are content tokens sent before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Status {
        code: u16,
        retry_after: Option<u64>,
    },
    Hang,
    Stall(usize),
    Cut(usize),
    Reset(usize),
    BadJson(usize),
    BadFrame(usize),
    /// With the status that the error would have had before the answer began.
    Error {
        after: usize,
        code: u16,
    },
}

/// Why a model name is no script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptError {
    Empty,
    UnknownStep(String),
    BadArgument { step: String, expected: &'static str },
    RepeatedStep(String),
    TwoFaults { first: String, second: String },
}

impl FromStr for Script {
    type Err = ScriptError;

    fn from_str(text: &str) -> Result<Self, ScriptError> {
        if text.trim().is_empty() {
            return Err(ScriptError::Empty);
        }
        let mut script = Self::default();
        let mut seen: Vec<&str> = Vec::new();
        let mut faulty: Option<&str> = None;
        for step in text.trim().split('+') {
            let name = step.split_once('-').map_or(step, |(name, _)| name);
            if seen.contains(&name) {
                return Err(ScriptError::RepeatedStep(step.to_owned()));
            }
            seen.push(name);
            if script.apply(step)? {
                if let Some(first) = faulty {
                    return Err(ScriptError::two_faults(first, step));
                }
                faulty = Some(step);
            }
        }
        Ok(script)
    }
}

impl Default for Script {
    fn default() -> Self {
        Self {
            tokens: None,
            delay: Duration::ZERO,
            pace: Duration::ZERO,
            usage: true,
            tool: false,
            deaf: false,
            fault: None,
        }
    }
}

impl Script {
    /// Adds one step, and tells whether it was a fault.
    fn apply(&mut self, step: &str) -> Result<bool, ScriptError> {
        let (name, argument) = match step.split_once('-') {
            Some((name, argument)) => (name, Some(argument)),
            None => (step, None),
        };
        let argument = Argument { step, text: argument };
        match name {
            // An embedding model has a name of its own, so that it can have a price of its own.
            "ok" | "embed" => argument.none()?,
            "nousage" => {
                argument.none()?;
                self.usage = false;
            }
            "tool" => {
                argument.none()?;
                self.tool = true;
            }
            "deaf" => {
                argument.none()?;
                self.deaf = true;
            }
            "tokens" => self.tokens = Some(argument.tokens()?),
            "delay" => self.delay = argument.millis()?,
            "pace" => self.pace = argument.millis()?,
            _ => {
                self.fault = Some(Fault::parse(name, &argument)?);
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Fault {
    fn parse(name: &str, argument: &Argument) -> Result<Self, ScriptError> {
        Ok(match name {
            "429" => Self::Status { code: 429, retry_after: argument.retry_after()? },
            "408" | "500" | "502" | "503" | "529" => {
                argument.none()?;
                let code = name.parse().expect("the pattern is a number");
                Self::Status { code, retry_after: None }
            }
            "hang" => {
                argument.none()?;
                Self::Hang
            }
            "stall" => Self::Stall(argument.tokens()?),
            "cut" => Self::Cut(argument.tokens()?),
            "reset" => Self::Reset(argument.tokens()?),
            "badjson" => Self::BadJson(argument.tokens()?),
            "badframe" => Self::BadFrame(argument.tokens()?),
            "error" => argument.error()?,
            _ => return Err(ScriptError::UnknownStep(argument.step.to_owned())),
        })
    }

    /// How many content tokens go out before the fault; `None` when it comes before any body.
    pub(super) fn after(self) -> Option<usize> {
        match self {
            Self::Status { .. } | Self::Hang => None,
            Self::Stall(n) | Self::Cut(n) | Self::Reset(n) | Self::BadJson(n) | Self::BadFrame(n) => Some(n),
            Self::Error { after, .. } => Some(after),
        }
    }
}

/// What follows the first hyphen of a step.
struct Argument<'a> {
    step: &'a str,
    text: Option<&'a str>,
}

impl Argument<'_> {
    fn none(&self) -> Result<(), ScriptError> {
        match self.text {
            None => Ok(()),
            Some(_) => Err(self.expected("no argument")),
        }
    }

    fn tokens(&self) -> Result<usize, ScriptError> {
        let count = self.number(MAX_TOKENS, "a number of tokens, at most 100000")?;
        Ok(usize::try_from(count).expect("the limit fits"))
    }

    fn millis(&self) -> Result<Duration, ScriptError> {
        self.number(MAX_MILLIS, "milliseconds, at most 3600000").map(Duration::from_millis)
    }

    fn retry_after(&self) -> Result<Option<u64>, ScriptError> {
        let Some(text) = self.text else {
            return Ok(None);
        };
        let seconds = text.strip_prefix("retry-").and_then(|seconds| seconds.parse().ok());
        seconds.map(Some).ok_or_else(|| self.expected("`429-retry-SECONDS`"))
    }

    fn error(&self) -> Result<Fault, ScriptError> {
        let split = self.text.and_then(|text| text.split_once('-'));
        let (tokens, code) = split.map_or((self.text, "500"), |(tokens, code)| (Some(tokens), code));
        let after = Argument { step: self.step, text: tokens }.tokens()?;
        let code = code.parse().ok().filter(|code| IN_STREAM.contains(code));
        let code =
            code.ok_or_else(|| self.expected("`error-TOKENS-CODE`, CODE 424, 429, 500, 503 or 529"))?;
        Ok(Fault::Error { after, code })
    }

    fn number(&self, limit: u64, expected: &'static str) -> Result<u64, ScriptError> {
        let number = self.text.and_then(|text| text.parse().ok());
        number.filter(|number| *number <= limit).ok_or_else(|| self.expected(expected))
    }

    fn expected(&self, expected: &'static str) -> ScriptError {
        ScriptError::BadArgument { step: self.step.to_owned(), expected }
    }
}

impl ScriptError {
    fn two_faults(first: &str, second: &str) -> Self {
        Self::TwoFaults { first: first.to_owned(), second: second.to_owned() }
    }
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the script is empty"),
            Self::UnknownStep(step) => write!(f, "unknown step `{step}`"),
            Self::BadArgument { step, expected } => write!(f, "step `{step}` takes {expected}"),
            Self::RepeatedStep(step) => write!(f, "step `{step}` repeats an earlier one"),
            Self::TwoFaults { first, second } => {
                write!(f, "steps `{first}` and `{second}` cannot both happen")
            }
        }
    }
}

impl std::error::Error for ScriptError {}
