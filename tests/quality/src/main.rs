//! Prints how often the semantic cache is right, on labelled questions.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use quality::answers::{Answers, answered};
use quality::clock::cpu;
use quality::pairs::{self, Half, Pair, Served};
use quality::sets::{self, Question};
use quality::stream::{self, Asked, Outcome};
use quality::vectors::Vectors;
use shared::domain::verdict::Rules;

const THRESHOLDS: [f32; 6] = [0.80, 0.85, 0.90, 0.92, 0.95, 0.98];
const QUESTIONS: usize = 3_000;
/// Brings the questions into the order in which they are asked.
const SEED: &str = "tollgate";

fn main() -> ExitCode {
    match report() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn report() -> Result<(), String> {
    println!("semantic cache, commit {}; shares with 95 % intervals of Wilson and counts\n", commit());
    let mut vectors = Vectors::default();
    of_pairs(&mut vectors)?;
    match std::env::var_os("BANKING77").filter(|path| !path.is_empty()) {
        Some(path) => of_stream(PathBuf::from(path), &mut vectors),
        None => {
            println!("\nBanking77: not measured; BANKING77=FILE names its train.csv");
            Ok(())
        }
    }
}

fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output =
            Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let changed = git(&["status", "--porcelain"]).is_some_and(|status| !status.is_empty());
    let commit = git(&["rev-parse", "--short", "HEAD"]).unwrap_or_else(|| "unknown".to_owned());
    if changed { format!("{commit} and uncommitted changes") } else { commit }
}

fn of_pairs(vectors: &mut Vectors) -> Result<(), String> {
    let pairs = sets::pairs()?;
    println!(
        "fow-cache 0.1.0 by Mabon ap Gwyn, CC BY 4.0: {} pairs; recall of those that share an answer,",
        pairs.len()
    );
    println!(
        "traps served of those that do not, precision of what is served. Halves by the first byte of SHA-256"
    );
    println!("over both texts with a line break between them: even tunes, odd reports.");
    let before = cpu();
    vectors.add_questions(pairs.iter().flat_map(|pair| [pair.stored.as_str(), pair.asked.as_str()]))?;
    per_text("embedding", before, vectors.len());
    for (name, half) in [("tuning", Half::Tuning), ("reporting", Half::Reporting)] {
        let pairs: Vec<Pair> = pairs.iter().filter(|pair| pair.half() == half).cloned().collect();
        println!("\n{name} half, {} pairs", pairs.len());
        println!("{:<26}{:^36}{:^36}{:^36}", "", "recall", "traps served", "precision");
        for threshold in THRESHOLDS {
            served(&format!("{threshold:.2} alone"), pairs::plain(pairs.iter(), vectors, threshold));
        }
        for threshold in THRESHOLDS {
            let rules = Rules::SAFE.at_least(threshold);
            served(&format!("{threshold:.2} with the guards"), pairs::guarded(pairs.iter(), vectors, &rules));
        }
        for (name, rules) in [("safe", Rules::SAFE), ("high-hit", Rules::HIGH_HIT)] {
            served(name, pairs::guarded(pairs.iter(), vectors, &rules));
        }
        let (together, strangers) = pairs::together(&pairs, vectors, &Rules::SAFE);
        served("safe, all in one cache", together);
        println!("{:<26}{strangers} further pairs are served the answer of another pair", "");
    }
    Ok(())
}

fn served(name: &str, served: Served) {
    println!(
        "{name:<26}{:<36}{:<36}{:<36}",
        served.recall.to_string(),
        served.traps.to_string(),
        served.precision().to_string()
    );
}

fn per_text(what: &str, before: Option<f64>, texts: usize) {
    match before.zip(cpu()) {
        Some((before, after)) => {
            let texts = f64::from(u32::try_from(texts.max(1)).unwrap_or(u32::MAX));
            println!("{what}: {:.3} ms CPU each", 1e3 * (after - before) / texts);
        }
        None => println!("{what}: no CPU time is told here"),
    }
}

fn of_stream(path: PathBuf, vectors: &mut Vectors) -> Result<(), String> {
    let mut questions = sets::questions(&path)?;
    stream::shuffle(&mut questions, SEED);
    let (asked, apart) = questions.split_at(QUESTIONS.min(questions.len()));
    println!(
        "\nBanking77 (PolyAI, CC BY 4.0): {} questions in the order of SHA-256 over {SEED:?}, a line break and the",
        asked.len()
    );
    println!(
        "text; the cache is empty at first, and what it does not serve is stored. A hit with the answer to another"
    );
    println!("intent is wrong. Rules see answers, no intents.");
    vectors.add_questions(asked.iter().map(|question| question.text.as_str()))?;
    let canned = answered(asked, &Answers::of(apart, false), vectors)?;
    println!("\n{:<40}{:^36}{:^36}", "", "hits", "wrong among hits");
    for threshold in THRESHOLDS {
        outcome(&format!("{threshold:.2} alone"), stream::plain(&canned, vectors, threshold));
    }
    by_rules("one text for each intent", &canned, vectors);
    by_rules("each answer worded its own way", &reworded(asked, apart, vectors)?, vectors);
    let before = cpu();
    stream::guarded(&canned, vectors, &Rules::SAFE);
    per_text("search through all and judgement", before, canned.len());
    Ok(())
}

fn reworded(asked: &[Question], apart: &[Question], vectors: &mut Vectors) -> Result<Vec<Asked>, String> {
    answered(asked, &Answers::of(apart, true), vectors)
}

fn by_rules(answers: &str, questions: &[Asked], vectors: &Vectors) {
    println!("{answers}");
    let rules: [(&str, Rules); 4] = [
        ("safe", Rules::SAFE),
        ("safe, semantic_threshold 0.92", Rules::SAFE.at_least(0.92)),
        ("high-hit", Rules::HIGH_HIT),
        ("high-hit, semantic_threshold 0.92", Rules::HIGH_HIT.at_least(0.92)),
    ];
    for (name, rules) in rules {
        outcome(&format!("  {name}"), stream::guarded(questions, vectors, &rules));
    }
}

fn outcome(name: &str, outcome: Outcome) {
    println!("{name:<40}{:<36}{:<36}", outcome.hits.to_string(), outcome.wrong.to_string());
}
