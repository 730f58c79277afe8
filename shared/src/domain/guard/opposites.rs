//! Words that exclude one another: opposites, by list or by their first syllable, and the members
//! of a class.

use std::collections::HashSet;

use super::Veto;
use super::lexicon::{LEXICON, Member};
use super::reading::{Reading, Word};

const DENYING: [&str; 8] = ["un", "in", "im", "ir", "il", "dis", "non", "mis"];
/// Classes whose members say when.
const WHEN: [&str; 8] = ["month", "weekday", "week", "season", "festival", "day", "period", "every"];

pub(super) fn veto(one: &Reading, other: &Reading) -> Option<Veto> {
    let mine = Alone::of(one, other);
    let theirs = Alone::of(other, one);
    if mine.denied_in(&theirs) || theirs.denied_in(&mine) || opposed(&mine.opposites, &theirs.opposites) {
        return Some(Veto::Opposite);
    }
    exclusive(&mine.classes, &theirs.classes)
        .map(|class| if WHEN.contains(&LEXICON.class_name(class)) { Veto::Date } else { Veto::Kind })
}

/// What the words are that only one text has.
struct Alone<'a> {
    words: Vec<&'a Word>,
    opposites: HashSet<Member>,
    classes: HashSet<Member>,
}

impl<'a> Alone<'a> {
    fn of(text: &'a Reading, other: &Reading) -> Self {
        let words: Vec<&Word> = text.words.iter().filter(|word| !other.has(word)).collect();
        let common = other.members(|word| LEXICON.classes(word));
        let opposites = words.iter().flat_map(|word| LEXICON.opposites(&word.text)).copied().collect();
        let classes = words
            .iter()
            .flat_map(|word| LEXICON.classes(&word.text))
            .filter(|member| !common.contains(*member))
            .copied()
            .collect();
        Alone { words, opposites, classes }
    }

    fn denied_in(&self, other: &Alone) -> bool {
        let stems: HashSet<&str> = other.words.iter().map(|word| word.stem.as_str()).collect();
        let denies = |word: &Word| {
            DENYING.iter().filter_map(|first| word.stem.strip_prefix(first)).any(|rest| stems.contains(rest))
        };
        self.words.iter().any(|word| denies(word))
    }
}

fn opposed(mine: &HashSet<Member>, theirs: &HashSet<Member>) -> bool {
    mine.iter().any(|(pair, side)| theirs.contains(&(*pair, 1 - side)))
}

fn exclusive(mine: &HashSet<Member>, theirs: &HashSet<Member>) -> Option<u16> {
    let classes: HashSet<u16> = theirs.iter().map(|(class, _)| *class).collect();
    mine.iter().map(|(class, _)| *class).filter(|class| classes.contains(class)).min()
}
