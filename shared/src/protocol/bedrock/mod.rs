//! Amazon Bedrock's ConverseStream, outbound. Shapes are those of the Bedrock Runtime API
//! reference, version 2023-09-30.

mod frames;
mod message;
pub mod outbound;
pub mod stream;
mod thinking;
mod tools;
mod usage;

#[cfg(all(test, feature = "providers"))]
pub(crate) use frames::tests::event;

use super::claude::Claude;

/// Whether a model takes cache points and the status of a tool's result: the reference grants both
/// to Claude and Nova only, and other models refuse a request that has them.
fn is_claude_or_nova(model: &str) -> bool {
    Claude::named(model).is_claude() || model.contains("nova")
}
