//! Idempotency keys: the same answer for the same request, once.
//!
//! A caller's key is claimed before anything is spent. Whoever claims it first works; others are
//! told that the work is in flight, or get the answer that came of it. A claim that nobody
//! concludes, because the function died, can be claimed anew once its lease is over.

use std::time::Duration;

use super::id::AttemptId;
use super::time::Timestamp;

/// How long an answer is kept.
pub const KEPT_FOR: Duration = Duration::from_secs(24 * 3600);

/// One attempt to work under an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// SHA-256 of the caller's key id and the idempotency key, in hex.
    pub key: String,
    /// SHA-256 of the dialect and the body, in hex: the request must be the same one.
    pub fingerprint: String,
    /// Who claims. Claiming again under the same request is the same claim.
    pub request: AttemptId,
    /// When the claim lapses if nobody concludes it.
    pub lease: Timestamp,
    /// When the answer is forgotten.
    pub expires: Timestamp,
}

/// What stands under an idempotency key. `R` is a reply as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<R> {
    pub fingerprint: String,
    pub request: AttemptId,
    pub lease: Timestamp,
    pub expires: Timestamp,
    pub state: State<R>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State<R> {
    InFlight,
    /// The work came to nothing; the key is free again.
    Released,
    /// None when the reply was too large to keep.
    Finished(Option<R>),
}

impl<R> Record<R> {
    pub fn new(claim: &Claim, state: State<R>) -> Self {
        Record {
            fingerprint: claim.fingerprint.clone(),
            request: claim.request,
            lease: claim.lease,
            expires: claim.expires,
            state,
        }
    }

    /// Whether `claim` is the one that is in flight, and so may conclude it.
    pub fn is_open_for(&self, claim: &Claim) -> bool {
        matches!(self.state, State::InFlight) && self.request == claim.request
    }
}

/// What a claim came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed<R> {
    /// The claimant works, and must conclude.
    Started,
    InFlight,
    /// The reply of the first request; none when it was too large to keep.
    Finished(Option<R>),
    /// The key stands for another request.
    OtherRequest,
}

/// Whether `claim` takes over what stands. The condition of the one write that claims.
pub fn is_free<R>(standing: Option<&Record<R>>, claim: &Claim, now: Timestamp) -> bool {
    standing.is_none_or(|standing| {
        let lapsed = match standing.state {
            State::InFlight => standing.lease <= now,
            State::Released => true,
            State::Finished(_) => false,
        };
        standing.expires <= now || lapsed || standing.is_open_for(claim)
    })
}

/// What a claimant is told of a record that is not free.
pub fn refused<R>(standing: Record<R>, claim: &Claim) -> Claimed<R> {
    match standing.state {
        _ if standing.fingerprint != claim.fingerprint => Claimed::OtherRequest,
        State::InFlight | State::Released => Claimed::InFlight,
        State::Finished(reply) => Claimed::Finished(reply),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn claim(random: u128, fingerprint: &str) -> Claim {
        Claim {
            key: "k".into(),
            fingerprint: fingerprint.into(),
            request: AttemptId::new(NOW, random),
            lease: NOW + Duration::from_secs(10),
            expires: NOW + KEPT_FOR,
        }
    }

    fn record(claim: &Claim, state: State<u8>) -> Record<u8> {
        Record::new(claim, state)
    }

    #[test]
    fn a_claim_holds_until_its_lease_is_over() {
        let (first, second) = (claim(1, "a"), claim(2, "a"));
        let standing = record(&first, State::InFlight);
        assert!(is_free::<u8>(None, &first, NOW));
        assert!(!is_free(Some(&standing), &second, NOW));
        assert!(is_free(Some(&standing), &first, NOW), "the same claim again");
        assert!(is_free(Some(&standing), &second, first.lease));
        assert_eq!(refused(standing, &second), Claimed::InFlight);
    }

    #[test]
    fn an_answer_is_kept_for_a_day() {
        let (first, second) = (claim(1, "a"), claim(2, "a"));
        let standing = record(&first, State::Finished(Some(7)));
        assert!(!is_free(Some(&standing), &second, first.lease));
        assert!(!is_free(Some(&standing), &first, NOW), "an answer is never worked for again");
        assert!(is_free(Some(&standing), &second, first.expires));
        assert_eq!(refused(standing, &second), Claimed::Finished(Some(7)));
    }

    #[test]
    fn another_body_under_the_key_is_told_apart() {
        let standing = record(&claim(1, "a"), State::Finished(Some(7)));
        assert_eq!(refused(standing, &claim(2, "b")), Claimed::OtherRequest);
    }

    #[test]
    fn a_released_key_is_free() {
        let standing = record(&claim(1, "a"), State::Released);
        assert!(is_free(Some(&standing), &claim(2, "b"), NOW));
    }
}
