//! A state of the world, and its packed form.

pub(crate) const SLOTS: usize = 3;
pub(crate) const REQUESTS: usize = 3;
/// Bits of a packed counter.
const COUNTER_BITS: u32 = 10;

/// How far the gateway of a request has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    #[default]
    Idle,
    /// The reserves are on their way.
    Sent,
    /// Refused; what was held is given back without a line.
    GaveBack,
    /// Given up by a line of zero, which is on its way or stands.
    Abandoned,
    /// Dispatched and billed: the place of its end. The line of it is on its way or stands.
    Ended(u8),
}

/// One request. Masks have a bit for each part of its plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) phase: Phase,
    pub(crate) plan: u8,
    /// Reserves that were applied.
    pub(crate) landed: u8,
    /// Reserves that were refused and will never be applied.
    pub(crate) refused: u8,
    /// Reserves that were found to fit; of one mutant only.
    pub(crate) checked: u8,
    /// A sweeper may have found the hold while there was no line.
    pub(crate) known: bool,
    /// Counters that such a sweeper may have seen without the hold, or out of its reach.
    pub(crate) absent: u8,
    pub(crate) fenced: u8,
    /// The line that stands: its place among the lines of the plan, from one. Zero is none.
    pub(crate) line: u8,
    /// Lines that ever stood as estimates.
    pub(crate) estimated: u8,
}

impl Asked {
    pub(crate) fn in_flight(&self, part: usize) -> bool {
        self.phase != Phase::Idle && !bit(self.landed | self.refused, part)
    }
}

pub(crate) fn bit(mask: u8, at: usize) -> bool {
    mask >> at & 1 == 1
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// Places in the arena.
    pub(crate) counters: [u16; SLOTS],
    pub(crate) asked: [Asked; REQUESTS],
    /// The period has ended.
    pub(crate) rolled: bool,
}

/// Appends fields to a number and takes them off again, in reverse.
struct Packer(u128);

impl Packer {
    fn put(&mut self, value: impl Into<u128>, bits: u32) {
        let value = value.into();
        assert!(value >> bits == 0, "{value} has more than {bits} bits");
        self.0 = self.0 << bits | value;
    }

    fn take(&mut self, bits: u32) -> u8 {
        let value = self.0 & ((1 << bits) - 1);
        self.0 >>= bits;
        value as u8
    }

    fn take_wide(&mut self, bits: u32) -> u16 {
        let value = self.0 & ((1 << bits) - 1);
        self.0 >>= bits;
        value as u16
    }
}

impl State {
    /// One number for one state.
    pub(crate) fn pack(&self) -> u128 {
        let mut packer = Packer(0);
        for counter in self.counters {
            packer.put(counter, COUNTER_BITS);
        }
        for asked in &self.asked {
            let phase = match asked.phase {
                Phase::Idle => 0,
                Phase::Sent => 1,
                Phase::GaveBack => 2,
                Phase::Abandoned => 3,
                Phase::Ended(end) => 4 + end,
            };
            packer.put(phase, 4);
            packer.put(asked.plan, 2);
            for mask in [asked.landed, asked.refused, asked.checked, asked.absent, asked.fenced] {
                packer.put(mask, 3);
            }
            packer.put(asked.known, 1);
            packer.put(asked.line, 3);
            packer.put(asked.estimated, 6);
        }
        packer.put(self.rolled, 1);
        packer.0
    }

    pub(crate) fn unpack(packed: u128) -> State {
        let mut packer = Packer(packed);
        let mut state = State { rolled: packer.take(1) == 1, ..State::default() };
        for asked in state.asked.iter_mut().rev() {
            asked.estimated = packer.take(6);
            asked.line = packer.take(3);
            asked.known = packer.take(1) == 1;
            for mask in [
                &mut asked.fenced,
                &mut asked.absent,
                &mut asked.checked,
                &mut asked.refused,
                &mut asked.landed,
            ] {
                *mask = packer.take(3);
            }
            asked.plan = packer.take(2);
            asked.phase = match packer.take(4) {
                0 => Phase::Idle,
                1 => Phase::Sent,
                2 => Phase::GaveBack,
                3 => Phase::Abandoned,
                end => Phase::Ended(end - 4),
            };
        }
        for counter in state.counters.iter_mut().rev() {
            *counter = packer.take_wide(COUNTER_BITS);
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_comes_back_as_it_was_packed() {
        let first = Asked { phase: Phase::Ended(4), plan: 2, landed: 7, refused: 1, ..Asked::default() };
        let second = Asked { phase: Phase::Sent, known: true, line: 6, estimated: 33, ..Asked::default() };
        let third = Asked { absent: 5, fenced: 6, checked: 3, ..Asked::default() };
        let state = State { counters: [1023, 0, 512], asked: [first, second, third], rolled: true };
        assert_eq!(State::unpack(state.pack()), state);
    }
}
