//! What a provider would say to the questions of a stream.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use shared::domain::verdict::AnswerMark;

use crate::sets::Question;
use crate::stream::Asked;
use crate::vectors::Vectors;

/// How many questions of an intent its answer takes up.
const POINTS: usize = 2;

/// Ways to say the same: what is said first, before each point, and last.
const WORDINGS: [[&str; 3]; 6] = [
    ["Here is what you can do.", "On", "Write to us if that is not enough."],
    ["Thanks for asking!", "You may wonder:", "Our support team is glad to help you further."],
    ["Happy to help with that.", "As to", "Do come back to us with anything else."],
    ["Let me walk you through it.", "First,", "That should be all."],
    ["Sure, this is a common question.", "Regarding", "You find more in our help centre."],
    ["I understand.", "When it comes to", "Is there anything else that I can do for you?"],
];

/// One text for each intent, made of questions that are in no stream; by the wording of each
/// question where `reworded`, so that no two questions need have the same text.
pub struct Answers {
    points: HashMap<String, Vec<String>>,
    reworded: bool,
}

impl Answers {
    pub fn of(apart: &[Question], reworded: bool) -> Self {
        let mut points: HashMap<String, Vec<String>> = HashMap::new();
        for question in apart {
            let known = points.entry(question.intent.clone()).or_default();
            if known.len() < POINTS {
                known.push(question.text.clone());
            }
        }
        Answers { points, reworded }
    }

    pub fn to(&self, question: &Question) -> String {
        let digest = Sha256::digest(question.text.as_bytes());
        let number = |byte: usize| if self.reworded { usize::from(digest[byte]) } else { 0 };
        let [first, each, last] = WORDINGS[number(0) % WORDINGS.len()];
        let mut points: Vec<&str> =
            self.points.get(&question.intent).into_iter().flatten().map(String::as_str).collect();
        let turn = number(1) % points.len().max(1);
        points.rotate_left(turn);
        let points: Vec<String> = points.iter().map(|point| format!("{each} {point}")).collect();
        format!("{first} {} {last}", points.join(" "))
    }
}

/// The questions with the marks of their answers.
pub fn answered(
    questions: &[Question],
    answers: &Answers,
    vectors: &mut Vectors,
) -> Result<Vec<Asked>, String> {
    let texts: Vec<String> = questions.iter().map(|question| answers.to(question)).collect();
    vectors.add_answers(texts.iter().map(String::as_str))?;
    let asked = |(question, answer): (&Question, &String)| Asked {
        text: question.text.clone(),
        intent: question.intent.clone(),
        answer: AnswerMark::of(answer, vectors.of(answer)),
    };
    Ok(questions.iter().zip(&texts).map(asked).collect())
}
