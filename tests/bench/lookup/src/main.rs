//! What `make bench-lookup` runs: CPU of a lookup in the semantic tier, and of starting with its
//! weights.

mod cpu;
mod texts;

use std::path::Path;
use std::process::ExitCode;

use fastrand::Rng;
use shared::domain::time::Timestamp;
use shared::embed::MiniLm;
use shared::ports::{Embedder, SearchVectors, SetUpVectors, VectorRecord, WriteVectors};
use shared::vectors::MemoryVectors;

use self::cpu::Cpu;

type Outcome = Result<(), String>;

const USAGE: &str =
    "usage: lookup start FOLDER | lookup start-prepacked FOLDER | lookup measure FOLDER ENTRIES LOOKUPS";
/// Neighbours that a lookup judges.
const MOST: usize = 8;
/// How far entries are from the text that they were made of, in components.
const SPREAD: f32 = 0.03;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["start", folder] => start(|| MiniLm::load(Path::new(folder), 1)).await,
        ["start-prepacked", folder] => start(|| MiniLm::load_prepacked(Path::new(folder), 1)).await,
        ["measure", folder, entries, lookups] => measure(Path::new(folder), entries, lookups).await,
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lookup: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the CPU of this process from its exec on, in milliseconds: with the weights loaded, and
/// after the first vector.
async fn start(load: impl FnOnce() -> Result<MiniLm, String>) -> Outcome {
    let embedder = load()?;
    let loaded = Cpu::now()?;
    embedder.embed(&[&texts::text(&mut Rng::with_seed(1))]).await?;
    println!("{:.3} {:.3}", loaded.millis(), Cpu::now()?.millis());
    Ok(())
}

/// Prints milliseconds of CPU of a lookup's parts, and of what they are compared with, by name.
async fn measure(folder: &Path, entries: &str, lookups: &str) -> Outcome {
    let number = |text: &str| text.parse::<usize>().map_err(|error| format!("{text}: {error}"));
    let (entries, lookups) = (number(entries)?, number(lookups)?);
    let (embedder, prepacked) = (MiniLm::load(folder, 1)?, MiniLm::load_prepacked(folder, 1)?);
    let mut rng = Rng::with_seed(7);
    let vectors = stored(&prepacked, entries, &mut rng).await?;
    let store = MemoryVectors::default();
    store.set_up(embedder.dimensions()).await.map_err(|error| error.to_string())?;
    store.upsert(&records(&vectors)).await.map_err(|error| error.to_string())?;
    let bench = Bench { embedder, prepacked, store, vectors };
    for _ in 0..lookups / 10 {
        bench.turn(&mut rng).await?;
    }
    let mut sums = [Cpu::ZERO; PARTS.len()];
    for _ in 0..lookups {
        let spent = bench.turn(&mut rng).await?;
        sums.iter_mut().zip(spent).for_each(|(sum, spent)| *sum += spent);
    }
    for (part, sum) in PARTS.iter().zip(sums) {
        println!("{part}\t{:.4}", sum.each(lookups));
    }
    Ok(())
}

/// What a turn measures, in this order.
const PARTS: [&str; 6] = [
    "lookup: embedding and search",
    "embedding alone",
    "search alone, bytes and exact ranks",
    "lookup, weights prepacked",
    "embedding alone, weights prepacked",
    "scan of the same vectors as floats",
];

struct Bench {
    embedder: MiniLm,
    prepacked: MiniLm,
    store: MemoryVectors,
    vectors: Vec<Vec<f32>>,
}

impl Bench {
    /// Each part once, so that whatever else the machine does falls on all alike.
    async fn turn(&self, rng: &mut Rng) -> Result<[Cpu; PARTS.len()], String> {
        // The scan of the turn before left nothing else in the processor's caches.
        self.look_up(&self.embedder, &texts::text(rng)).await?;
        let at = Cpu::now()?;
        self.look_up(&self.embedder, &texts::text(rng)).await?;
        let whole = at.until_now()?;
        let at = Cpu::now()?;
        let vector = self.embedder.embed(&[&texts::text(rng)]).await?.remove(0);
        let embedding = at.until_now()?;
        let at = Cpu::now()?;
        let nearest = self.search(&vector).await?;
        let search = at.until_now()?;
        self.look_up(&self.prepacked, &texts::text(rng)).await?;
        let at = Cpu::now()?;
        self.look_up(&self.prepacked, &texts::text(rng)).await?;
        let whole_prepacked = at.until_now()?;
        let at = Cpu::now()?;
        self.prepacked.embed(&[&texts::text(rng)]).await?;
        let embedding_prepacked = at.until_now()?;
        let at = Cpu::now()?;
        let best = scan(&self.vectors, &vector);
        let floats = at.until_now()?;
        if (nearest - best).abs() > 1e-5 {
            return Err(format!("the scans differ: {nearest} and {best}"));
        }
        Ok([whole, embedding, search, whole_prepacked, embedding_prepacked, floats])
    }

    async fn look_up(&self, embedder: &MiniLm, text: &str) -> Result<f32, String> {
        let vector = embedder.embed(&[text]).await?.remove(0);
        self.search(&vector).await
    }

    /// The greatest cosine.
    async fn search(&self, vector: &[f32]) -> Result<f32, String> {
        let found = self.store.nearest("bench", vector, MOST).await.map_err(|error| error.to_string())?;
        found.first().map(|first| first.similarity).ok_or_else(|| "nothing was found".to_owned())
    }
}

/// Vectors of texts, and directions around them.
async fn stored(embedder: &MiniLm, entries: usize, rng: &mut Rng) -> Result<Vec<Vec<f32>>, String> {
    let mut seeds = Vec::new();
    for _ in 0..200 {
        seeds.extend(embedder.embed(&[&texts::text(rng)]).await?);
    }
    Ok((0..entries).map(|entry| near(&seeds[entry % seeds.len()], rng)).collect())
}

fn near(vector: &[f32], rng: &mut Rng) -> Vec<f32> {
    let moved: Vec<f32> =
        vector.iter().map(|component| component + (rng.f32() - 0.5) * 2.0 * SPREAD).collect();
    let length = moved.iter().map(|component| component * component).sum::<f32>().sqrt();
    moved.into_iter().map(|component| component / length).collect()
}

fn records(vectors: &[Vec<f32>]) -> Vec<VectorRecord> {
    let record = |(id, vector): (usize, &Vec<f32>)| VectorRecord {
        partition: "bench".to_owned(),
        id: format!("{id:064x}"),
        vector: vector.clone(),
        expires: Timestamp::from_millis(i64::MAX),
        payload: "p".repeat(800),
    };
    vectors.iter().enumerate().map(record).collect()
}

/// The greatest cosine, by floats alone.
fn scan(vectors: &[Vec<f32>], asked: &[f32]) -> f32 {
    let cosines = vectors.iter().map(|vector| vector.iter().zip(asked).map(|(a, b)| a * b).sum());
    cosines.fold(f32::NEG_INFINITY, f32::max)
}
