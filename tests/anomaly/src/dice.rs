//! Draws from a seed.

#[derive(Clone, Debug)]
pub struct Dice(fastrand::Rng);

impl Dice {
    pub fn of(seed: u64) -> Self {
        Dice(fastrand::Rng::with_seed(seed))
    }

    /// Draws of its own, so that what is drawn elsewhere changes nothing here.
    pub fn apart(&mut self) -> Self {
        Dice(self.0.fork())
    }

    pub fn chance(&mut self, of_one: f64) -> bool {
        self.0.f64() < of_one
    }

    pub fn within(&mut self, low: f64, high: f64) -> f64 {
        low + self.0.f64() * (high - low)
    }

    pub fn whole(&mut self, range: std::ops::Range<i64>) -> i64 {
        self.0.i64(range)
    }

    /// As likely between 1 and 10 as between 10 and 100.
    pub fn of_any_size(&mut self, low: f64, high: f64) -> f64 {
        self.within(low.ln(), high.ln()).exp()
    }

    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.0.f64()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.0.f64()).cos()
    }

    /// With a mean of one.
    pub fn log_normal(&mut self, deviation: f64) -> f64 {
        (deviation * self.normal() - deviation * deviation / 2.0).exp()
    }

    /// The time to the next of events that come at `rate`.
    pub fn wait(&mut self, rate: f64) -> f64 {
        -(1.0 - self.0.f64()).ln() / rate
    }

    /// How many events of a mean come.
    pub fn count(&mut self, mean: f64) -> u64 {
        if mean > 60.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as u64;
        }
        let (least, mut product, mut count) = ((-mean).exp(), self.0.f64(), 0);
        while product > least {
            product *= self.0.f64();
            count += 1;
        }
        count
    }
}
