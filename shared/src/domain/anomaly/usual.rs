//! What is usual for a key at a moment.

/// By the weeks, and by what this hour has seen so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usual {
    /// To be expected in a minute, in thousandths of a request.
    pub requests: u64,
    /// In thousandths of what a request costs on the average.
    pub cost: u64,
    /// The same two, whatever this day is like.
    pub weekly: (u64, u64),
    /// That average, in nano-dollars.
    pub per_request: u64,
    /// How many requests come together, in thousandths.
    pub clump: u64,
    /// The variance of what requests cost over the square of their mean, in thousandths. The variance of the
    /// sum of a random number of them is the number times this, and that of the number.
    pub spread: u64,
    /// The busiest minute of this hour of the week, in thousandths of a request.
    pub burst: u64,
    /// How far this hour says by itself what it is like, in thousandths.
    pub known: u64,
    /// Where one or two weeks are all there is to know the key by.
    pub is_unsure: bool,
}

impl Usual {
    /// By the weeks alone.
    pub(super) fn by_weeks(&self) -> Usual {
        let (requests, cost) = self.weekly;
        Usual { requests, cost, ..*self }
    }
}
