//! What is usual for a key at a moment.

/// By the weeks, and by what this hour has seen so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usual {
    /// To be expected in a minute, in thousandths of a request.
    pub requests: u64,
    /// In thousandths of what a request costs on the average.
    pub cost: u64,
    /// That average, in nano-dollars.
    pub per_request: u64,
    /// How many requests come together, in thousandths.
    pub clump: u64,
    /// The busiest minute of this hour of the week, in thousandths of a request.
    pub burst: u64,
    /// How far this hour says by itself what it is like, in thousandths.
    pub known: u64,
    /// Where one or two weeks are all there is to know the key by.
    pub is_unsure: bool,
}
