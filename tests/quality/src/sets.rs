//! Labelled questions, read from where set-up or their owner put them.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::pairs::Pair;

#[derive(Deserialize)]
struct Line {
    category: String,
    a: String,
    b: String,
    same_answer: bool,
}

/// A question and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub text: String,
    pub intent: String,
}

/// The folder of set-up.
pub fn tools() -> PathBuf {
    std::env::var_os("TOLLGATE_TOOLS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../.tools"), PathBuf::from)
}

/// The pairs of fow-cache, in the order of the file.
pub fn pairs() -> Result<Vec<Pair>, String> {
    let path = tools().join("labelled/fow-cache/pairs.jsonl");
    let pair =
        |line: Line| Pair { stored: line.a, asked: line.b, same: line.same_answer, category: line.category };
    let lines = read(&path)?;
    let lines = lines.lines().map(serde_json::from_str::<Line>);
    lines.map(|line| line.map(pair).map_err(|error| format!("{}: {error}", path.display()))).collect()
}

/// The questions of a CSV file with the columns `text` and `category`.
pub fn questions(path: &Path) -> Result<Vec<Question>, String> {
    let mut rows = rows(&read(path)?).into_iter();
    let header = rows.next().unwrap_or_default();
    if header != ["text", "category"] {
        return Err(format!(
            "{}: the columns are {header:?} where text and category are expected",
            path.display()
        ));
    }
    let question = |row: Vec<String>| match <[String; 2]>::try_from(row) {
        Ok([text, intent]) => Ok(Question { text, intent }),
        Err(row) => Err(format!("{}: {row:?} has other columns", path.display())),
    };
    rows.map(question).collect()
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Rows of comma-separated values; a quoted one holds commas, line breaks and doubled quotes.
fn rows(text: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let (mut row, mut value, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.next_if_eq(&'"').is_some() => value.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut value)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut value));
                rows.push(std::mem::take(&mut row));
            }
            '\r' if !quoted => {}
            letter => value.push(letter),
        }
    }
    if !row.is_empty() || !value.is_empty() {
        row.push(value);
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_commas_breaks_and_quotes() {
        let text = "text,category\r\n\"a, \"\"b\"\"\nc\",one\nd,two";
        assert_eq!(rows(text), [vec!["text", "category"], vec!["a, \"b\"\nc", "one"], vec!["d", "two"]]);
    }
}
