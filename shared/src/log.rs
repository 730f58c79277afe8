//! JSON logs, one object a line. Prompts, answers and keys are never fields of them.

use tracing::Level;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use crate::config::LogLevel;

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
        LogLevel::Error => Level::ERROR,
        LogLevel::Warn => Level::WARN,
        LogLevel::Info => Level::INFO,
        LogLevel::Debug => Level::DEBUG,
        LogLevel::Trace => Level::TRACE,
    };
    let writer = match sink {
        Sink::Stdout => BoxMakeWriter::new(std::io::stdout),
        Sink::Stderr => BoxMakeWriter::new(std::io::stderr),
    };
    let logger =
        tracing_subscriber::fmt().json().flatten_event(true).with_max_level(level).with_writer(writer);
    let _ = logger.try_init();
}
