//! Processor time, which other work on the machine does not change much.

use std::fs;

/// Ticks of the kernel's accounting in a second, on every Linux.
const TICKS: f64 = 100.0;

/// Seconds of processor time that this process has used; none where the kernel does not tell.
pub fn cpu() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11).map(str::parse::<u32>);
    let (user, system) = (times.next()?.ok()?, times.next()?.ok()?);
    Some(f64::from(user + system) / TICKS)
}
