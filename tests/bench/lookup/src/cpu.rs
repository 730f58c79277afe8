//! CPU of the whole process, from the scheduler, in nanoseconds.

use std::fs;
use std::ops::AddAssign;

#[derive(Clone, Copy)]
pub(crate) struct Cpu(u64);

impl Cpu {
    pub(crate) const ZERO: Cpu = Cpu(0);

    /// Of all threads that live. None ends while this program measures.
    pub(crate) fn now() -> Result<Cpu, String> {
        let mut sum = 0;
        for thread in fs::read_dir("/proc/self/task").map_err(|error| error.to_string())? {
            let file = thread.map_err(|error| error.to_string())?.path().join("schedstat");
            let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            let spent = text.split(' ').next().and_then(|word| word.parse::<u64>().ok());
            sum += spent.ok_or_else(|| format!("{}: {text:?}", file.display()))?;
        }
        Ok(Cpu(sum))
    }

    pub(crate) fn until_now(self) -> Result<Cpu, String> {
        Ok(Cpu(Cpu::now()?.0.saturating_sub(self.0)))
    }

    pub(crate) fn millis(self) -> f64 {
        self.each(1)
    }

    /// Milliseconds of one of `count`.
    #[expect(clippy::cast_precision_loss, reason = "figures to read, far below what a double can count")]
    pub(crate) fn each(self, count: usize) -> f64 {
        self.0 as f64 / 1e6 / count.max(1) as f64
    }
}

impl AddAssign for Cpu {
    fn add_assign(&mut self, other: Cpu) {
        self.0 += other.0;
    }
}
