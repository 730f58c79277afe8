//! How many store round trips follow one another before a caller is served. Every call of a store
//! takes ten milliseconds of simulated time, so the time that passed is the longest chain.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use shared::app::SemanticTier;
use shared::domain::breaker::Breaker;
use shared::domain::cache::{CacheKey, Mark, Marks, Served};
use shared::domain::counter::{Allowance, Close, Counter, CounterKey, Reserve};
use shared::domain::id::AttemptId;
use shared::domain::key::KeyRecord;
use shared::domain::policy::{ScopeName, ScopePolicy};
use shared::domain::time::Timestamp;
use shared::domain::verdict::{Finding, Verdict};
use shared::memory::MemoryStore;
use shared::ports::{
    AnswerCache, BreakerStore, CacheMarks, CachedAnswer, Counters, FindKey, FindPolicy, LookupError,
    Question, ReserveReply, SemanticLookup, StoreError, Versioned,
};
use tests::{At, Jobs, Noting, Ports, Setup, TestApp, User, balanced, unbounded};
use tokio::time::{Instant, sleep};

const TRIP: Duration = Duration::from_millis(10);

/// A store at a distance.
struct Far(Arc<MemoryStore>);

#[async_trait]
impl FindKey for Far {
    async fn find(&self, id: &str) -> Result<Option<KeyRecord>, StoreError> {
        sleep(TRIP).await;
        self.0.find(id).await
    }
}

#[async_trait]
impl FindPolicy for Far {
    async fn find_policy(&self, scope: &ScopeName) -> Result<Option<ScopePolicy>, StoreError> {
        sleep(TRIP).await;
        self.0.find_policy(scope).await
    }
}

#[async_trait]
impl Counters for Far {
    async fn reserve(&self, write: &Reserve) -> Result<ReserveReply, StoreError> {
        sleep(TRIP).await;
        self.0.reserve(write).await
    }

    async fn allow(&self, key: &CounterKey, to: &Allowance) -> Result<(), StoreError> {
        sleep(TRIP).await;
        self.0.allow(key, to).await
    }

    async fn read(&self, key: &CounterKey) -> Result<Option<Counter>, StoreError> {
        sleep(TRIP).await;
        Counters::read(self.0.as_ref(), key).await
    }

    async fn close(&self, write: &Close) -> Result<(), StoreError> {
        sleep(TRIP).await;
        self.0.close(write).await
    }

    async fn fence(&self, key: &CounterKey, id: AttemptId) -> Result<bool, StoreError> {
        sleep(TRIP).await;
        self.0.fence(key, id).await
    }
}

#[async_trait]
impl AnswerCache for Far {
    async fn get(&self, key: &CacheKey) -> Result<Option<CachedAnswer>, StoreError> {
        sleep(TRIP).await;
        self.0.get(key).await
    }

    async fn put(&self, key: &CacheKey, entry: &CachedAnswer, expires: Timestamp) -> Result<(), StoreError> {
        sleep(TRIP).await;
        AnswerCache::put(self.0.as_ref(), key, entry, expires).await
    }
}

#[async_trait]
impl CacheMarks for Far {
    async fn read_marks(&self) -> Result<Marks, StoreError> {
        sleep(TRIP).await;
        self.0.read_marks().await
    }

    async fn mark(&self, mark: &Mark, expires: Timestamp) -> Result<(), StoreError> {
        sleep(TRIP).await;
        self.0.mark(mark, expires).await
    }

    async fn note_served(&self, served: &Served) -> Result<(), StoreError> {
        sleep(TRIP).await;
        self.0.note_served(served).await
    }
}

/// A search for near questions that takes three trips of its own, as one over a network does:
/// the function, its vectors, its marks.
struct Search;

#[async_trait]
impl SemanticLookup for Search {
    async fn look_up(&self, _: &Question) -> Result<Finding, LookupError> {
        sleep(TRIP * 3).await;
        Ok(Finding { verdict: Verdict::NoNeighbour, similarity: None, key: None })
    }
}

#[async_trait]
impl BreakerStore for Far {
    async fn read(&self, target: &str) -> Result<Versioned, StoreError> {
        sleep(TRIP).await;
        BreakerStore::read(self.0.as_ref(), target).await
    }

    async fn swap(&self, target: &str, version: u64, next: &Breaker) -> Result<bool, StoreError> {
        sleep(TRIP).await;
        self.0.swap(target, version, next).await
    }
}

/// A cold instance over `store` at `now`, without a search for near questions.
async fn cold(store: &Arc<MemoryStore>, now: Timestamp) -> (TestApp, Arc<Noting>) {
    cold_with(store, now, None).await
}

async fn cold_with(
    store: &Arc<MemoryStore>,
    now: Timestamp,
    semantic: Option<SemanticTier>,
) -> (TestApp, Arc<Noting>) {
    let far = Arc::new(Far(Arc::clone(store)));
    let provider = Arc::new(Noting::default());
    let ports = Ports {
        keys: far.clone(),
        policies: far.clone(),
        counters: far.clone(),
        answers: far.clone(),
        marks: far.clone(),
        breakers: far,
        ..Ports::of(store)
    };
    let setup = Setup {
        clock: Arc::new(At(now)),
        store: Arc::clone(store),
        ports: Some(ports),
        upstream: Some(provider.clone()),
        semantic,
        ..Setup::new(json!({ "routing": { "fallbacks": ["demo/tokens-3"] } }))
    };
    (setup.start().await, provider)
}

/// Trips until the provider was asked.
async fn trips_of_a_miss(store: &Arc<MemoryStore>, user: &User, text: &str, now: Timestamp) -> u128 {
    trips(cold(store, now).await, user, text).await
}

async fn trips((gateway, provider): (TestApp, Arc<Noting>), user: &User, text: &str) -> u128 {
    let mut body = unbounded("demo/ok", true);
    body["messages"][0]["content"] = json!(text);
    let begun = Instant::now();
    assert_eq!(gateway.complete(user, &body).await.status, 200);
    let asked = provider.asked_at().expect("asked");
    (asked - begun).as_millis() / TRIP.as_millis()
}

#[tokio::test(start_paused = true)]
async fn at_most_four_trips_before_a_provider_is_asked_and_two_before_an_exact_hit() {
    let store = Arc::new(MemoryStore::default());
    let now = Timestamp::from_millis(1_800_000_000_000);
    let (first, _) = cold(&store, now).await;
    let user = first.user(json!({ "budgetUsd": "5", "rpm": 100 })).await;
    assert_eq!(trips_of_a_miss(&store, &user, "the counter is created", now).await, 4);
    assert_eq!(trips_of_a_miss(&store, &user, "the counter is there", now).await, 3);
    // The policies are looked up while near questions are, so three trips of a search add two.
    let semantic = SemanticTier { lookup: Arc::new(Search), jobs: Arc::new(Jobs::default()) };
    let near = cold_with(&store, now, Some(semantic)).await;
    assert_eq!(trips(near, &user, "nothing is near").await, 5);
    let later = now + Duration::from_secs(120);
    assert_eq!(trips_of_a_miss(&store, &user, "the minute has passed", later).await, 4);

    for stream in [true, false] {
        let (gateway, provider) = cold(&store, later).await;
        let mut body = unbounded("demo/ok", stream);
        body["messages"][0]["content"] = json!("the counter is there");
        let begun = Instant::now();
        let answered = gateway.complete(&user, &body).await;
        assert_eq!(answered.header("x-tollgate-cache"), "exact");
        assert_eq!((Instant::now() - begun).as_millis() / TRIP.as_millis(), 2, "stream {stream}");
        assert!(provider.asked_at().is_none());
    }
    balanced(&store).await;
}
