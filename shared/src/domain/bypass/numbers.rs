//! Runs of figures, with what people put between them.

/// Figures that stand together.
#[derive(Debug, Default)]
pub(super) struct Run {
    pub digits: Vec<u8>,
    pub groups: usize,
    /// The sizes of the groups with the signs between them: `3-2-4`.
    pub shape: String,
    /// It begins with a plus.
    pub plus: bool,
}

/// A run of more figures is no number of anything.
const MOST: usize = 24;

pub(super) fn runs(text: &str) -> Vec<Run> {
    let letters: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let inside = at > 0 && letters[at - 1].is_alphanumeric();
        let starts = letters[at].is_ascii_digit() || letters[at] == '+' || letters[at] == '(';
        if starts && !inside {
            let (run, end) = run(&letters, at);
            if (4..=MOST).contains(&run.digits.len()) {
                found.push(run);
            }
            at = end.max(at + 1);
        } else {
            at += 1;
        }
    }
    found
}

fn run(letters: &[char], start: usize) -> (Run, usize) {
    let mut run = Run { plus: letters[start] == '+', ..Run::default() };
    let mut at = start + usize::from(run.plus);
    let mut size = 0;
    while at < letters.len() {
        let digit = |index: usize| {
            letters
                .get(index)
                .and_then(|letter| letter.to_digit(10))
                .and_then(|digit| u8::try_from(digit).ok())
        };
        if let Some(value) = digit(at) {
            run.digits.push(value);
            size += 1;
            at += 1;
            continue;
        }
        // One sign between figures, or a bracket beside one.
        let width = match letters[at] {
            '-' | '.' | ' ' | '/' | '\u{a0}' if digit(at + 1).is_some() => 1,
            '(' if digit(at + 1).is_some() => 1,
            ')' if digit(at + 1).is_some() => 1,
            ')' | ' ' if matches!(letters.get(at + 1), Some(' ' | '(' | '-')) && digit(at + 2).is_some() => 2,
            _ => break,
        };
        if size > 0 {
            run.close(size);
            run.shape.push(if letters[at] == ')' { '-' } else { letters[at] });
        }
        size = 0;
        at += width;
    }
    if size > 0 {
        run.close(size);
    }
    (run, at)
}

impl Run {
    fn close(&mut self, size: usize) {
        self.groups += 1;
        self.shape.push_str(&size.to_string());
    }
}
