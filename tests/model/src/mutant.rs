//! The protocol with one of its rules taken away. The product keeps its code; the checker alone
//! breaks the rule.

/// Which rule is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// A sweep posts zero for whatever it finds, without a fence.
    VoidOnExpiry,
    /// CLOSE does not ask whether the hold is there.
    CloseUnconditionally,
    /// RESERVE does not look at the floor.
    IgnoreFloor,
    /// RESERVE is sent again by a layer below.
    ResendReserve,
    /// A reserve that is given up is given back, without a line.
    AbandonWithoutLine,
    /// LATE SETTLE does not ask whether the hold is closed.
    CorrectOpenHolds,
    /// A sweep posts the whole amount for whatever it finds.
    EstimateBlindly,
    /// A sweep takes a counter without the hold for fenced.
    VoidOnPlainRead,
    /// The ledger line is put over the one that stands.
    PutUnconditionally,
    /// SETTLE closes before its line stands.
    CloseBeforeLine,
    /// LATE SETTLE does not ask whether the line is still the estimate.
    CorrectAnyLine,
    /// Later steps name the counters of the present period.
    PresentPeriod,
    /// A deadline in RESERVE's condition stands for the floor: after it, what is absent counts as
    /// fenced. The store compares the client's clock, which may be late.
    DeadlineForFloor,
    /// A provider bills more than was held.
    HoldTooLittle,
    /// RESERVE reads, compares, and then subtracts without a condition.
    CheckThenIncrement,
    /// A sweep whose zero line comes too late corrects the estimate that stands.
    SweepCorrects,
    /// FENCE takes a hold that it finds for fenced.
    FenceLiveHolds,
}

impl Mutant {
    pub const ALL: [Mutant; 17] = [
        Mutant::VoidOnExpiry,
        Mutant::CloseUnconditionally,
        Mutant::IgnoreFloor,
        Mutant::ResendReserve,
        Mutant::AbandonWithoutLine,
        Mutant::CorrectOpenHolds,
        Mutant::EstimateBlindly,
        Mutant::VoidOnPlainRead,
        Mutant::PutUnconditionally,
        Mutant::CloseBeforeLine,
        Mutant::CorrectAnyLine,
        Mutant::PresentPeriod,
        Mutant::DeadlineForFloor,
        Mutant::HoldTooLittle,
        Mutant::CheckThenIncrement,
        Mutant::SweepCorrects,
        Mutant::FenceLiveHolds,
    ];
}
