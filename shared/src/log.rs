//! JSON logs, one object a line. Prompts, answers and keys are never fields of them.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogLevel;

/// The crates whose lines are ours. Libraries are heard from a warning on: below that the AWS SDK writes
/// out whole requests, and a prompt may be in one.
const OURS: &[&str] =
    &["shared", "chat", "usage", "admin", "cache", "indexer", "alerts", "local", "tollgate"];

/// Where the lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    /// Lambda collects it.
    Stdout,
    /// Leaves stdout to what a command prints.
    Stderr,
}

/// Starts logging. The first call counts.
pub fn init(level: LogLevel, sink: Sink) {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let writer = match sink {
        Sink::Stdout => BoxMakeWriter::new(std::io::stdout),
        Sink::Stderr => BoxMakeWriter::new(std::io::stderr),
    };
    let ours = OURS.iter().map(|name| (*name, level));
    let heard = Targets::new().with_targets(ours).with_default(level.min(LevelFilter::WARN));
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(writer);
    let _ = tracing_subscriber::registry().with(heard).with(lines).try_init();
}
