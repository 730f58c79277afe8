//! Pairs of question and answer in a file: JSON lines, or CSV whose first line names its columns.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// Faults that are told at once.
const FAULTS_MAX: usize = 20;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pair {
    pub question: String,
    pub answer: String,
}

/// The pairs of a file, each with the line on which it begins. What ends in `.csv` is CSV.
///
/// # Errors
/// Every fault with its line, up to a number that can be read.
pub(super) fn read(path: &Path) -> Result<Vec<(u64, Pair)>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let is_csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    let lines = if is_csv { csv(&text) } else { json_lines(&text) };
    let (mut pairs, mut faults) = (Vec::new(), Vec::new());
    for (line, pair) in lines {
        match pair.and_then(whole) {
            Ok(pair) => pairs.push((line, pair)),
            Err(why) => faults.push(format!("{}:{line}: {why}", path.display())),
        }
    }
    match faults.len() {
        0 if pairs.is_empty() => Err(format!("{}: there is no pair in it", path.display())),
        0 => Ok(pairs),
        many => {
            let more = many.saturating_sub(FAULTS_MAX);
            faults.truncate(FAULTS_MAX);
            let rest = if more > 0 { format!("\nand {more} more") } else { String::new() };
            Err(format!("{}{rest}", faults.join("\n")))
        }
    }
}

type Line = (u64, Result<Pair, String>);

fn json_lines(text: &str) -> Vec<Line> {
    let numbered = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    let read = |line: &str| serde_json::from_str(line).map_err(|error| error.to_string());
    numbered.map(|(line, number)| (number, read(line))).collect()
}

fn csv(text: &str) -> Vec<Line> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(text.as_bytes());
    let headers = match reader.headers() {
        Ok(headers) => headers.clone(),
        Err(error) => return vec![(1, Err(error.to_string()))],
    };
    let line_of = |position: Option<&csv::Position>| position.map_or(1, csv::Position::line);
    let read = |record: Result<csv::StringRecord, csv::Error>| match record {
        Ok(record) => {
            let pair = record.deserialize(Some(&headers)).map_err(|error| plain(&error));
            (line_of(record.position()), pair)
        }
        Err(error) => (line_of(error.position()), Err(plain(&error))),
    };
    reader.records().map(read).collect()
}

/// The library's text without the position, which stands before it.
fn plain(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => err.kind().to_string(),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} fields, where the first line has {expected_len}")
        }
        _ => error.to_string(),
    }
}

fn whole(pair: Pair) -> Result<Pair, String> {
    match (pair.question.trim().is_empty(), pair.answer.trim().is_empty()) {
        (true, _) => Err("question must not be empty".to_owned()),
        (_, true) => Err("answer must not be empty".to_owned()),
        _ => Ok(pair),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(question: &str, answer: &str) -> Pair {
        Pair { question: question.to_owned(), answer: answer.to_owned() }
    }

    #[test]
    fn both_forms_are_read_with_the_lines_of_their_pairs() {
        let lines = json_lines(
            "{\"question\": \"a\", \"answer\": \"b\"}\n\n{\"question\": \"c\", \"answer\": \"d\"}\n",
        );
        assert_eq!(lines, [(1, Ok(pair("a", "b"))), (3, Ok(pair("c", "d")))]);
        let lines = csv("answer,question\n\"b, or\nc\",a\nd,e\n");
        assert_eq!(lines, [(2, Ok(pair("a", "b, or\nc"))), (4, Ok(pair("e", "d")))]);
    }

    #[test]
    fn a_bad_line_is_named_by_its_number() {
        let faults =
            |lines: Vec<Line>| lines.into_iter().filter(|(_, pair)| pair.is_err()).map(|(line, _)| line);
        let bad = "{\"question\": \"a\", \"answer\": \"b\"}\nnonsense\n{\"question\": \"a\"}\n";
        assert_eq!(faults(json_lines(bad)).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(faults(csv("question,answer\na,b\nc\n")).collect::<Vec<_>>(), [3]);
        assert_eq!(faults(csv("question,reply\na,b\n")).collect::<Vec<_>>(), [2]);
        assert!(whole(pair(" ", "b")).is_err() && whole(pair("a", "")).is_err());
    }
}
