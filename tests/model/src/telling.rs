//! Steps in words.

use super::state::State;
use super::steps::Step;
use super::world::World;

impl World {
    /// What happened in `before`.
    pub(crate) fn tell(&self, before: &State, step: Step) -> String {
        match step {
            Step::PeriodEnds => "the period ends".to_owned(),
            Step::Begin { request, plan } => {
                let slots = &self.plans[request][usize::from(plan)].slots;
                format!("request {request}: reserves are sent to counters {slots:?}")
            }
            Step::Lands { request, part } => format!("request {request}: reserve {part} lands"),
            Step::Refused { request, part } => format!("request {request}: reserve {part} is refused"),
            Step::Throttled { request, part } => format!("request {request}: reserve {part} is throttled"),
            Step::Checked { request, part } => format!("request {request}: reserve {part} finds room"),
            Step::GivesUp { request, abandons: true } => {
                format!("request {request}: the gateway abandons it")
            }
            Step::GivesUp { request, .. } => format!("request {request}: the gateway refuses it"),
            Step::Dispatches { request, end } => {
                let end = self.setting.requests[request].ends[usize::from(end)];
                let line = format!("{:?} {}", end.quality, end.amount);
                format!("request {request}: dispatched, billed {}, to settle as {line}", end.billed)
            }
            Step::GivesBack { request, part } => format!("request {request}: part {part} is given back"),
            Step::Fences { request, part } => format!("request {request}: a sweep fences counter {part}"),
            Step::Puts { request, line } => {
                format!("request {request}: the line {} is put", self.line_in_words(before, request, line))
            }
            Step::Closes { request, part, line } => {
                let line = self.line_in_words(before, request, line);
                format!("request {request}: part {part} is closed at the line {line}")
            }
            Step::Corrects { request, estimate, exact } => {
                let words = |line| self.line_in_words(before, request, line);
                format!("request {request}: the line {} is corrected to {}", words(estimate), words(exact))
            }
        }
    }

    fn line_in_words(&self, before: &State, request: usize, line: u8) -> String {
        let plan = &self.plans[request][usize::from(before.asked[request].plan)];
        let entry = &plan.lines[usize::from(line) - 1].entry;
        format!("{:?} {}", entry.quality, entry.amount.nano())
    }
}
