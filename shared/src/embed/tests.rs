use std::path::PathBuf;
use std::sync::OnceLock;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

/// The pieces `[CLS]` and `[SEP]`.
const BEGIN: i32 = 101;
const END: i32 = 102;

/// What onnxruntime and tokenizers make of a text, written by `tests/tools/embedder_golden.py`.
#[derive(Deserialize)]
struct Golden {
    text: String,
    ids: Vec<i32>,
    /// In ten-thousandths.
    vector: Vec<f32>,
}

fn golden() -> Vec<Golden> {
    serde_json::from_str(include_str!("golden.json")).unwrap()
}

fn folder() -> Option<PathBuf> {
    let tools = std::env::var_os("TOLLGATE_TOOLS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../.tools"), PathBuf::from);
    let folder = tools.join("models/all-minilm-l6-v2");
    let found = folder.join("weights.onnx").exists();
    if !found {
        eprintln!("skipped: {} has no weights; tests/tools/setup.py embedder fetches them", folder.display());
    }
    found.then_some(folder)
}

fn embedder() -> Option<MiniLm> {
    folder().map(|folder| MiniLm::load(&folder, 1).unwrap())
}

fn pieces() -> Option<&'static WordPieces> {
    static PIECES: OnceLock<Option<WordPieces>> = OnceLock::new();
    let read = || {
        let list = std::fs::read_to_string(folder()?.join("vocab.txt")).unwrap();
        Some(WordPieces::read(&list).unwrap())
    };
    PIECES.get_or_init(read).as_ref()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn texts_are_cut_as_the_reference_cuts_them() {
    let Some(pieces) = pieces() else { return };
    for golden in golden() {
        assert_eq!(pieces.encode(&golden.text, PIECES_MAX), golden.ids, "{}", golden.text);
    }
}

#[tokio::test]
async fn vectors_are_those_of_the_reference() {
    let Some(embedder) = embedder() else { return };
    for golden in golden() {
        let vector = embedder.embed(&[&golden.text]).await.unwrap().remove(0);
        assert_eq!(vector.len(), DIMENSIONS);
        for (number, (ours, theirs)) in vector.iter().zip(&golden.vector).enumerate() {
            let theirs = theirs / 10_000.0;
            assert!((ours - theirs).abs() < 1e-3, "{}: {number} is {ours}, not {theirs}", golden.text);
        }
    }
}

#[tokio::test]
async fn a_vector_depends_on_its_text_alone() {
    let Some(embedder) = embedder() else { return };
    let texts =
        ["How do I reset my password?", "", "A longer text about something else entirely, with commas."];
    let together = embedder.embed(&texts).await.unwrap();
    let again = MiniLm::load_prepacked(&folder().unwrap(), 2).unwrap();
    for (text, vector) in texts.iter().zip(&together) {
        assert_eq!(embedder.embed(&[text]).await.unwrap(), std::slice::from_ref(vector));
        assert_eq!(again.embed(&[text]).await.unwrap(), std::slice::from_ref(vector));
        assert!((cosine(vector, vector) - 1.0).abs() < 1e-5);
    }
    assert!(embedder.embed(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_text_is_read_up_to_256_pieces() {
    let Some(embedder) = embedder() else { return };
    let start = "some words ".repeat(127);
    let long = format!("{start}{}", "and others ".repeat(9_000));
    assert!(long.len() > 100_000 - 3_000);
    let vectors = embedder.embed(&[&start, &long]).await.unwrap();
    assert_eq!(vectors[0], vectors[1]);
}

#[tokio::test]
async fn texts_of_many_callers_are_each_answered() {
    let Some(embedder) = embedder() else { return };
    let expected = embedder.embed(&["one", "two"]).await.unwrap();
    let one = embedder.embed(&["one"]);
    let gone = tokio::time::timeout(std::time::Duration::ZERO, embedder.embed(&["nobody waits for this"]));
    let two = embedder.embed(&["two"]);
    let (one, gone, two) = tokio::join!(one, gone, two);
    assert!(gone.is_err());
    assert_eq!([one.unwrap().remove(0), two.unwrap().remove(0)], expected[..]);
}

#[test]
fn other_weights_are_refused_by_name() {
    let missing = MiniLm::load(std::path::Path::new("/nowhere"), 1).err().unwrap();
    assert!(missing.starts_with("/nowhere: vocab.txt: "), "{missing}");
    let Some(folder) = folder() else { return };
    let other = std::env::temp_dir().join(format!("tollgate-weights-{}", std::process::id()));
    std::fs::create_dir_all(&other).unwrap();
    std::fs::copy(folder.join("vocab.txt"), other.join("vocab.txt")).unwrap();
    std::fs::write(other.join("weights.onnx"), b"something else").unwrap();
    let refused = MiniLm::load(&other, 1).err().unwrap();
    std::fs::remove_dir_all(&other).unwrap();
    assert!(refused.contains("weights.onnx has 14 bytes"), "{refused}");
}

#[test]
fn a_list_without_the_frame_is_refused() {
    assert_eq!(WordPieces::read("[UNK]\n[CLS]\n").err().unwrap(), "the piece [SEP] is missing");
}

#[test]
fn a_caller_cannot_write_the_frame() {
    let Some(pieces) = pieces() else { return };
    let ids = pieces.encode("a [SEP] b", PIECES_MAX);
    assert_eq!(ids.iter().filter(|id| **id == END).count(), 1);
    assert_eq!(ids.last(), Some(&END));
}

proptest! {
    #[test]
    fn any_text_has_a_frame_and_no_more_pieces_than_are_read(text in any::<String>(), most in 2_usize..300) {
        let Some(pieces) = pieces() else { return Ok(()) };
        let ids = pieces.encode(&text, most);
        prop_assert!(ids.len() <= most);
        prop_assert_eq!((ids[0], ids[ids.len() - 1]), (BEGIN, END));
        prop_assert!(ids.iter().all(|id| (0..30_522).contains(id)));
    }
}
