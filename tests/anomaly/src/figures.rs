//! The figures of a seed, printed and told.

use std::ops::Range;

use shared::domain::anomaly::Settings;

use super::bound::at_best;
use super::dice::Dice;
use super::pattern::{Habit, Pattern};
use super::quiet::{Key, cost_by_hour, keys};
use super::spike::{Attack, Noticed, attack};
use super::variance::{MORNING, mean_costs, told};

pub const KEYS: usize = 200;
pub const DAYS: i64 = 60;
/// Moments at which each key is attacked, one a day after those.
const MOMENTS: i64 = 10;
/// What is promised, in seconds from the first request.
pub const IN_TIME: f64 = 60.0;
/// Where the sizes of keys are parted, in requests a minute that are usual at the time.
pub const SIZES: [f64; 8] = [0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 100.0, f64::INFINITY];
pub const TEN_TIMES: Attack = Attack { requests: 10.0, cost: 1.0, answered: 3.0 };

/// Plays all keys of a seed for two months, and prints what was raised.
pub fn quiet(seed: u64, habit: Habit) -> Vec<Key> {
    let settings = Settings::default();
    let mut played: Vec<Key> = keys(seed, KEYS, DAYS, habit).collect();
    played.iter_mut().for_each(|key| key.play(&settings, DAYS * 1_440));
    let sum = |of: fn(&Key) -> u64| played.iter().map(of).sum::<u64>();
    println!(
        "seed {seed}, {habit:?}: {KEYS} keys, {DAYS} days, {} judgements: {} slowed, {} stopped",
        sum(|key| key.judged),
        sum(|key| key.slowed),
        sum(|key| key.stopped)
    );
    let mut nearest: Vec<u64> = played.iter().map(|key| key.nearest).collect();
    nearest.sort_unstable();
    println!(
        "  the nearest that a minute came to its limit: {} % (of the median key {} %)",
        nearest[KEYS - 1],
        nearest[KEYS / 2]
    );
    played
}

/// Prints in how many hours after the first week the cost of all keys is told, in the morning and else.
/// Returns those of the morning without noise and changes of clocks, in the first week and after it, of keys
/// that were there from the beginning.
pub fn mornings(played: &[Key]) -> (usize, usize) {
    let is_morning = |hour: &&i64| MORNING.contains(&(*hour % 24));
    let from_the_start = played.iter().map(|key| &key.traffic.pattern).filter(|pattern| pattern.first == 0);
    let patterns: Vec<_> = from_the_start.map(Pattern::steady).collect();
    let mean = told(&mean_costs(&patterns, DAYS));
    let of_mean =
        |range: Range<i64>| mean.iter().filter(is_morning).filter(|hour| range.contains(hour)).count();
    let (first_week, later) = (of_mean(0..168), of_mean(168..DAYS * 24));
    let after = 168..DAYS * 24;
    let (hours, others): (Vec<i64>, Vec<i64>) = after.clone().partition(|hour| is_morning(&hour));
    let noisy = told(&cost_by_hour(played)).into_iter().filter(|hour| after.contains(hour));
    let (of_mornings, of_others): (Vec<i64>, Vec<i64>) = noisy.partition(|hour| is_morning(&hour));
    let per_cent = |some: &[i64], of: &[i64]| some.len() as f64 * 100.0 / of.len() as f64;
    println!(
        "  cost variance without noise: {first_week} mornings' hours told in the first week, {later} after it"
    );
    println!(
        "  with noise and changed clocks: {:.1} % of the mornings' hours, {:.1} % of the others",
        per_cent(&of_mornings, &hours),
        per_cent(&of_others, &others)
    );
    (first_week, later)
}

/// Plays each attack on all keys at a moment of each of the days after, and returns what came of them.
pub fn spikes(seed: u64, played: &mut [Key], attacks: &[Attack]) -> Vec<Vec<Noticed>> {
    let settings = Settings::default();
    let mut dice = Dice::of(seed).apart();
    let mut all = vec![Vec::new(); attacks.len()];
    for key in played {
        for day in DAYS..DAYS + MOMENTS {
            // What is promised ends within the hour.
            let minute = dice.whole(0..24) * 60 + dice.whole(0..58);
            key.play(&settings, day * 1_440 + minute);
            for (spike, came) in attacks.iter().zip(&mut all) {
                came.push(attack(key, &settings, *spike, &mut dice));
            }
        }
    }
    all
}

/// Prints how many were noticed in time, by size.
pub fn print(name: &str, spike: Attack, all: &[Noticed]) {
    println!("  {name}:");
    for size in SIZES.windows(2).map(|size| size[0]..size[1]) {
        let of_size = of_size(all, &size);
        let mut after: Vec<f64> = of_size.iter().filter_map(|one| one.after).collect();
        after.sort_by(f64::total_cmp);
        let at = |share: f64| after.get((after.len() as f64 * share) as usize).copied();
        let seconds = |share| at(share).map_or("-".to_owned(), |after| format!("{after:.0} s"));
        let best: f64 = of_size.iter().map(|one| at_best(one.usual, spike.requests)).sum();
        let best = if spike.requests > 1.0 { format!(", at best {best:>4.0}") } else { String::new() };
        println!(
            "    {:>3} to {:>3} a minute: {:>4} of {:>4} within 60 s{}; of those noticed p50 {}, p95 {}",
            size.start,
            size.end,
            in_time(&of_size),
            of_size.len(),
            best,
            seconds(0.5),
            seconds(0.95)
        );
    }
}

pub fn of_size<'a>(all: &'a [Noticed], size: &Range<f64>) -> Vec<&'a Noticed> {
    all.iter().filter(|one| size.contains(&one.usual)).collect()
}

pub fn in_time(some: &[&Noticed]) -> usize {
    some.iter().filter(|one| one.after.is_some_and(|after| after <= IN_TIME)).count()
}
