//! all-MiniLM-L6-v2 in the process: texts into vectors, without a call of anybody.
//!
//! The weights are files that come with the function; `rten` runs them. A text is run alone and
//! not beside others, so that its vector depends on nothing but itself.

mod pieces;

#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool, op_registry};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;
use tokio::sync::Semaphore;
use tokio::task;

use self::pieces::WordPieces;
use crate::ports::Embedder;

/// Told apart from other weights and other ways to read a text: whoever changes what vector a text
/// has, gives it another number.
const ID: &str = "all-minilm-l6-v2-int8-1";
const DIMENSIONS: usize = 384;
/// Pieces of a text that are read, the two of the frame included; the model was trained on no more.
const PIECES_MAX: usize = 256;
/// Of the weights in bytes. Others would give other vectors under the same id.
const WEIGHTS_LEN: u64 = 22_928_333;

/// An [`Embedder`] that computes in this process.
pub struct MiniLm {
    inner: Arc<Inner>,
    /// Texts are run one after another: side by side each would take longer and none would be
    /// done sooner. Who stops waiting gives up the turn.
    turn: Arc<Semaphore>,
}

struct Inner {
    model: Model,
    pieces: WordPieces,
    inputs: [NodeId; 3],
    output: NodeId,
    threads: Arc<ThreadPool>,
}

impl MiniLm {
    /// Reads `weights.onnx` and `vocab.txt` in `folder`, and blocks while it does: as fast as can be,
    /// for a process that starts in front of somebody. A vector is computed by `threads` threads;
    /// more than one pays from some dozens of words on.
    ///
    /// # Errors
    /// What is missing, or not what this version was made for.
    pub fn load(folder: &Path, threads: usize) -> Result<MiniLm, String> {
        MiniLm::load_with(folder, threads, &options())
    }

    /// As [`MiniLm::load`], with the weights laid out anew: it takes half as long again and 40 MB
    /// more, and a vector costs two thirds. For a process that lives long.
    ///
    /// # Errors
    /// As [`MiniLm::load`].
    pub fn load_prepacked(folder: &Path, threads: usize) -> Result<MiniLm, String> {
        MiniLm::load_with(folder, threads, options().prepack_weights(true))
    }

    fn load_with(folder: &Path, threads: usize, options: &ModelOptions) -> Result<MiniLm, String> {
        let inner =
            Inner::load(folder, threads, options).map_err(|why| format!("{}: {why}", folder.display()))?;
        Ok(MiniLm { inner: Arc::new(inner), turn: Arc::new(Semaphore::new(1)) })
    }
}

#[async_trait]
impl Embedder for MiniLm {
    fn id(&self) -> &str {
        ID
    }

    fn dimensions(&self) -> usize {
        DIMENSIONS
    }

    async fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, String> {
        let mut vectors = Vec::with_capacity(texts.len());
        for text in texts {
            let ids = self.inner.pieces.encode(text, PIECES_MAX);
            let turn = self.turn.clone().acquire_owned().await.map_err(|error| error.to_string())?;
            let inner = self.inner.clone();
            // The turn ends with the work, not with who waits for it.
            let work = task::spawn_blocking(move || {
                let vector = inner.vector(&ids);
                drop(turn);
                vector
            });
            vectors.push(work.await.map_err(|error| error.to_string())??);
        }
        Ok(vectors)
    }
}

impl Inner {
    fn load(folder: &Path, threads: usize, options: &ModelOptions) -> Result<Inner, String> {
        let list =
            fs::read_to_string(folder.join("vocab.txt")).map_err(|error| format!("vocab.txt: {error}"))?;
        let pieces = WordPieces::read(&list).map_err(|why| format!("vocab.txt: {why}"))?;
        let weights = folder.join("weights.onnx");
        let length = fs::metadata(&weights).map_err(|error| format!("weights.onnx: {error}"))?.len();
        if length != WEIGHTS_LEN {
            return Err(format!("weights.onnx has {length} bytes where {ID} has {WEIGHTS_LEN}"));
        }
        let model = options.load_file(weights).map_err(|error| format!("weights.onnx: {error}"))?;
        let node = |name: &str| model.node_id(name).map_err(|error| format!("weights.onnx: {error}"));
        let inputs = [node("input_ids")?, node("attention_mask")?, node("token_type_ids")?];
        let output = node("last_hidden_state")?;
        Ok(Inner { model, pieces, inputs, output, threads: Arc::new(ThreadPool::with_num_threads(threads)) })
    }

    /// The mean of what the model makes of each piece, at length one.
    fn vector(&self, ids: &[i32]) -> Result<Vec<f32>, String> {
        let shape = [1, ids.len()];
        let [words, mask, kinds] = self.inputs;
        let inputs = vec![
            (words, NdTensor::from_data(shape, ids.to_vec()).into()),
            (mask, NdTensor::<i32, 2>::full(shape, 1).into()),
            (kinds, NdTensor::<i32, 2>::zeros(shape).into()),
        ];
        let mut options = RunOptions::default();
        options.thread_pool = Some(self.threads.clone());
        let [hidden] =
            self.model.run_n(inputs, [self.output], Some(options)).map_err(|error| error.to_string())?;
        let hidden: NdTensor<f32, 3> = hidden.try_into().map_err(|_| "the model gave another shape")?;
        let hidden = hidden.data().ok_or("the model gave another layout")?;
        let mut vector = vec![0.0; DIMENSIONS];
        for piece in hidden.chunks_exact(DIMENSIONS) {
            vector.iter_mut().zip(piece).for_each(|(sum, part)| *sum += part);
        }
        // The mean has the direction of the sum, which is all that is left at length one.
        let length = vector.iter().map(|part| part * part).sum::<f32>().sqrt();
        if !length.is_finite() || length == 0.0 {
            return Err("the model gave a vector without a direction".to_owned());
        }
        vector.iter_mut().for_each(|part| *part /= length);
        Ok(vector)
    }
}

/// The operators of these weights and no others, which keeps the rest out of the binary.
fn options() -> ModelOptions {
    ModelOptions::with_ops(op_registry!(
        Add,
        And,
        Cast,
        Concat,
        Div,
        Erf,
        Expand,
        Gather,
        GatherND,
        GreaterOrEqual,
        IsNaN,
        LayerNormalization,
        MatMul,
        Max,
        Mul,
        Range,
        Reshape,
        Shape,
        Slice,
        Softmax,
        Squeeze,
        Transpose,
        Unsqueeze,
        Where
    ))
}
