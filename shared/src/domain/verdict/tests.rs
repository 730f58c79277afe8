use super::*;

fn stored(id: u8, similarity: f32, question: &str, answer: &str) -> Candidate {
    Candidate {
        key: CacheKey::of_bytes(&[id]),
        similarity,
        question: question.to_owned(),
        answer: AnswerMark::of(answer, &[]),
    }
}

fn safe(question: &str, candidates: &[Candidate]) -> (&'static str, Option<CacheKey>) {
    let finding = judge(question, candidates, &Rules::SAFE);
    assert_eq!(finding.key.is_some(), finding.verdict == Verdict::Served);
    (finding.verdict.name(), finding.key)
}

#[test]
fn an_empty_partition_has_no_neighbour() {
    assert_eq!(safe("How do I knit?", &[]), ("no_neighbour", None));
}

#[test]
fn the_same_words_are_served_from_further_away_than_other_words() {
    let question = "How do I knit a scarf?";
    assert_eq!(safe(question, &[stored(1, 0.86, "how can i knit a scarf", "so")]).0, "served");
    assert_eq!(safe(question, &[stored(1, 0.86, "How is knitting done?", "so")]).0, "veto_scope");
    assert_eq!(safe(question, &[stored(1, 0.93, "How is knitting done?", "so")]).0, "served");
    assert_eq!(safe(question, &[stored(1, 0.60, "how can i knit a scarf", "so")]).0, "below_threshold");
}

#[test]
fn an_answer_given_to_several_wordings_is_served_from_further_away() {
    let one = stored(1, 0.86, "How is knitting done?", "so");
    let other = stored(2, 0.80, "Knitting, how?", "so");
    assert_eq!(safe("How do I knit a scarf?", &[one, other]), ("served", Some(CacheKey::of_bytes(&[1]))));
}

#[test]
fn another_answer_nearly_as_near_is_in_doubt() {
    let one = stored(1, 0.92, "How is knitting done?", "so");
    let other = stored(2, 0.90, "How is it knitted?", "otherwise");
    assert_eq!(safe("How do I knit a scarf?", &[one.clone(), other]), ("margin", None));
    let same = stored(2, 0.90, "How is it knitted?", "so");
    assert_eq!(safe("How do I knit a scarf?", &[one, same]).0, "served");
}

#[test]
fn a_question_that_differs_stands_aside_for_the_same_one() {
    let seven = stored(1, 0.99, "Wake me at 7 am", "at seven");
    let eight = stored(2, 0.96, "Please wake me at 8 am", "at eight");
    assert_eq!(safe("Wake me at 8 am", &[eight, seven.clone()]), ("served", Some(CacheKey::of_bytes(&[2]))));
    assert_eq!(safe("Wake me at 8 am", &[seven]), ("veto_date", None));
}

#[test]
fn a_configured_threshold_is_the_least_for_any_wording() {
    let rules = Rules::HIGH_HIT.at_least(0.95);
    let near = stored(1, 0.94, "how can i knit a scarf", "so");
    assert_eq!(judge("How do I knit a scarf?", &[near], &rules).verdict, Verdict::BelowThreshold);
}

#[test]
fn short_answers_agree_word_for_word_and_long_ones_by_vector_and_numbers() {
    let long = |days: &str| {
        format!(
            "Your parcel will be with you after {days} days at the latest, wherever in the country you live."
        )
    };
    let (one, same, other) = ([1.0, 0.0], [0.98, 0.199], [0.6, 0.8]);
    let mark = AnswerMark::of(&long("two"), &one);
    assert!(mark.agrees(&AnswerMark::of(&long("2"), &same)));
    assert!(!mark.agrees(&AnswerMark::of(&long("3"), &same)));
    assert!(!mark.agrees(&AnswerMark::of(&long("2"), &other)));
    assert!(
        !AnswerMark::of("Intent: card arrival", &one).agrees(&AnswerMark::of("Intent: card linking", &one))
    );
    assert!(AnswerMark::of("Yes,  of course", &one).agrees(&AnswerMark::of("yes, of course", &other)));
}

#[test]
fn verdicts_are_written_by_their_names() {
    for verdict in
        [Verdict::Served, Verdict::NoNeighbour, Verdict::BelowThreshold, Verdict::Margin, Verdict::VetoScope]
    {
        assert_eq!(serde_json::to_value(verdict).expect("a name"), verdict.name());
    }
}
