//! The store ports over the [`Wire`]. Each write is checked at the store, the moment it is done.

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use shared::domain::breaker::Breaker;
use shared::domain::cache::{self, CacheKey, Marks, Served};
use shared::domain::counter::{Allowance, Close, Counter, CounterKey, Reserve};
use shared::domain::id::AttemptId;
use shared::domain::idempotency::{Claim, Claimed, State};
use shared::domain::key::KeyRecord;
use shared::domain::ledger::LedgerLine;
use shared::domain::policy::{ScopeName, ScopePolicy};
use shared::domain::time::Timestamp;
use shared::ports::{
    AnswerCache, BreakerStore, CacheMarks, CachedAnswer, CounterPage, Counters, FindKey, FindPolicy,
    Idempotency, LineMark, ListCounters, Mark, NoteRefusal, PutLine, ReserveReply, SettleQueue, StoreError,
    Versioned, WriteLedger,
};

use super::queue;
use super::wire::{Kind, Wire};

#[async_trait]
impl FindKey for Wire {
    async fn find(&self, id: &str) -> Result<Option<KeyRecord>, StoreError> {
        self.call("find key", Kind::Read, id.to_owned(), |world, id| {
            Box::pin(async move { world.stores.memory.find(&id).await })
        })
        .await
    }
}

#[async_trait]
impl FindPolicy for Wire {
    async fn find_policy(&self, scope: &ScopeName) -> Result<Option<ScopePolicy>, StoreError> {
        self.call("find policy", Kind::Read, scope.clone(), |world, scope| {
            Box::pin(async move { world.stores.memory.find_policy(&scope).await })
        })
        .await
    }
}

#[async_trait]
impl Counters for Wire {
    async fn reserve(&self, write: &Reserve) -> Result<ReserveReply, StoreError> {
        self.call("reserve", Kind::Once, write.clone(), |world, write| {
            Box::pin(async move {
                let reply = world.stores.counters.reserve(&write).await?;
                world.reserved(&write, &reply);
                Ok(reply)
            })
        })
        .await
    }

    async fn allow(&self, key: &CounterKey, to: &Allowance) -> Result<(), StoreError> {
        self.call("allow", Kind::Again, (key.clone(), *to), |world, (key, to)| {
            Box::pin(async move {
                world.stores.counters.allow(&key, &to).await?;
                world.books.check(&key);
                Ok(())
            })
        })
        .await
    }

    async fn read(&self, key: &CounterKey) -> Result<Option<Counter>, StoreError> {
        self.call("read", Kind::Read, key.clone(), |world, key| {
            Box::pin(async move { world.stores.counters.read(&key).await })
        })
        .await
    }

    async fn close(&self, write: &Close) -> Result<(), StoreError> {
        self.call("close", Kind::Again, write.clone(), |world, write| {
            Box::pin(async move {
                world.stores.counters.close(&write).await?;
                world.closed(&write);
                Ok(())
            })
        })
        .await
    }

    async fn fence(&self, key: &CounterKey, id: AttemptId) -> Result<bool, StoreError> {
        self.call("fence", Kind::Again, (key.clone(), id), |world, (key, id)| {
            Box::pin(async move {
                let fenced = world.stores.counters.fence(&key, id).await?;
                world.fenced(&key, id, fenced);
                Ok(fenced)
            })
        })
        .await
    }
}

#[async_trait]
impl NoteRefusal for Wire {
    async fn note_refusal(&self, key: &CounterKey, at: Timestamp) -> Result<(), StoreError> {
        self.call("note refusal", Kind::Again, (key.clone(), at), |world, (key, at)| {
            Box::pin(async move { world.stores.memory.note_refusal(&key, at).await })
        })
        .await
    }
}

#[async_trait]
impl ListCounters for Wire {
    async fn in_use(&self, now: Timestamp, from: Option<&Mark>) -> Result<CounterPage, StoreError> {
        self.call("counters in use", Kind::Read, (now, from.cloned()), |world, (now, from)| {
            Box::pin(async move { world.stores.memory.in_use(now, from.as_ref()).await })
        })
        .await
    }
}

#[async_trait]
impl WriteLedger for Wire {
    async fn put(&self, line: &LedgerLine) -> Result<PutLine, StoreError> {
        self.call("put", Kind::Again, line.clone(), |world, line| {
            Box::pin(async move {
                let put = world.stores.ledger.put(&line).await?;
                world.put(&line, &put);
                Ok(put)
            })
        })
        .await
    }

    async fn find(&self, tenant: &str, line: LineMark) -> Result<Option<LedgerLine>, StoreError> {
        self.call("find line", Kind::Read, (tenant.to_owned(), line), |world, (tenant, line)| {
            Box::pin(async move { world.stores.ledger.find(&tenant, line).await })
        })
        .await
    }

    async fn correct(&self, estimated: &LedgerLine, exact: &LedgerLine) -> Result<bool, StoreError> {
        let lines = (estimated.clone(), exact.clone());
        self.call("correct", Kind::Again, lines, |world, (estimated, exact)| {
            Box::pin(async move {
                let corrected = world.stores.ledger.correct(&estimated, &exact).await?;
                world.corrected(&exact, corrected);
                Ok(corrected)
            })
        })
        .await
    }
}

#[async_trait]
impl AnswerCache for Wire {
    async fn get(&self, key: &CacheKey) -> Result<Option<CachedAnswer>, StoreError> {
        self.call("get answer", Kind::Read, key.clone(), |world, key| {
            Box::pin(async move { world.stores.memory.get(&key).await })
        })
        .await
    }

    async fn put(&self, key: &CacheKey, entry: &CachedAnswer, expires: Timestamp) -> Result<(), StoreError> {
        let entry = (key.clone(), entry.clone(), expires);
        self.call("put answer", Kind::Again, entry, |world, (key, entry, expires)| {
            Box::pin(
                async move { AnswerCache::put(world.stores.memory.as_ref(), &key, &entry, expires).await },
            )
        })
        .await
    }
}

#[async_trait]
impl CacheMarks for Wire {
    async fn read_marks(&self) -> Result<Marks, StoreError> {
        self.call("read marks", Kind::Read, (), |world, ()| {
            Box::pin(async move { world.stores.memory.read_marks().await })
        })
        .await
    }

    async fn mark(&self, mark: &cache::Mark, expires: Timestamp) -> Result<(), StoreError> {
        self.call("mark", Kind::Again, (mark.clone(), expires), |world, (mark, expires)| {
            Box::pin(async move { world.stores.memory.mark(&mark, expires).await })
        })
        .await
    }

    async fn note_served(&self, served: &Served) -> Result<(), StoreError> {
        self.call("note served", Kind::Again, served.clone(), |world, served| {
            Box::pin(async move { world.stores.memory.note_served(&served).await })
        })
        .await
    }
}

#[async_trait]
impl Idempotency for Wire {
    async fn claim(&self, claim: &Claim, now: Timestamp) -> Result<Claimed<String>, StoreError> {
        self.call("claim", Kind::Again, (claim.clone(), now), |world, (claim, now)| {
            Box::pin(async move {
                let claimed = world.stores.memory.claim(&claim, now).await?;
                world.claimed(&claim, &claimed);
                Ok(claimed)
            })
        })
        .await
    }

    async fn conclude(&self, claim: &Claim, outcome: &State<String>) -> Result<(), StoreError> {
        let end = (claim.clone(), outcome.clone());
        self.call("conclude", Kind::Again, end, |world, (claim, outcome)| {
            Box::pin(async move { world.stores.memory.conclude(&claim, &outcome).await })
        })
        .await
    }
}

#[async_trait]
impl BreakerStore for Wire {
    async fn read(&self, target: &str) -> Result<Versioned, StoreError> {
        self.call("read breaker", Kind::Read, target.to_owned(), |world, target| {
            Box::pin(async move { BreakerStore::read(world.stores.memory.as_ref(), &target).await })
        })
        .await
    }

    async fn swap(&self, target: &str, version: u64, next: &Breaker) -> Result<bool, StoreError> {
        let change = (target.to_owned(), version, next.clone());
        self.call("swap breaker", Kind::Again, change, |world, (target, version, next)| {
            Box::pin(async move { world.stores.memory.swap(&target, version, &next).await })
        })
        .await
    }
}

#[async_trait]
impl SettleQueue for Wire {
    async fn send(&self, line: &LedgerLine) -> Result<(), StoreError> {
        let unsent = &self.world.unsent;
        unsent.fetch_add(1, Ordering::Relaxed);
        let sent = self.call("send", Kind::Again, line.clone(), |world, line| {
            Box::pin(async move {
                queue::accept(&world, &line);
                Ok(())
            })
        });
        let sent = sent.await;
        unsent.fetch_sub(u64::from(sent.is_ok()), Ordering::Relaxed);
        sent
    }
}
