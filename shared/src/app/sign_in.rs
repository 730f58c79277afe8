//! Who may administer: whoever holds the admin key, or a session that was begun with it.

use super::administer::Admin;
use super::error::GatewayError;
use super::random::OsRandomness;
use crate::domain::key::secrets_match;
use crate::domain::session::{Session, Signer};
use crate::ports::Randomness;

/// What a request came with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Presented<'a> {
    /// The admin key, in a header.
    pub key: Option<&'a str>,
    /// The token of a session, in a cookie.
    pub session: Option<&'a str>,
    /// What only a page of this origin can know of the session.
    pub proof: Option<&'a str>,
    /// Whether the request may change something.
    pub changes: bool,
}

impl Admin {
    /// A browser sends a session along whoever made it ask, so a change needs the proof as well. A key
    /// that is presented must be right, whatever session comes with it.
    ///
    /// # Errors
    /// [`GatewayError::Unauthorized`].
    pub fn authorize(&self, presented: &Presented<'_>) -> Result<(), GatewayError> {
        let is_in = match (presented.key, self.session(presented)) {
            (Some(key), _) => secrets_match(key, &self.admin_key),
            (None, Some(session)) => {
                let proof = self.signer().proof(&session);
                !presented.changes || presented.proof.is_some_and(|given| secrets_match(given, &proof))
            }
            (None, None) => false,
        };
        if is_in { Ok(()) } else { Err(GatewayError::Unauthorized) }
    }

    /// Begins a session, with its proof.
    ///
    /// # Errors
    /// [`GatewayError::Unauthorized`] without the admin key: a session cannot make itself last longer.
    pub fn sign_in(&self, presented: &Presented<'_>) -> Result<(Session, String), GatewayError> {
        self.authorize(&Presented { session: None, ..*presented })?;
        let mut random = [0_u8; 16];
        OsRandomness.fill(&mut random);
        let session = self.signer().begin(self.clock.now(), &random);
        let proof = self.signer().proof(&session);
        Ok((session, proof))
    }

    /// The session that was presented, if it is one of ours, with its proof.
    pub fn signed_in(&self, presented: &Presented<'_>) -> Option<(Session, String)> {
        let session = self.session(presented)?;
        let proof = self.signer().proof(&session);
        Some((session, proof))
    }

    fn session(&self, presented: &Presented<'_>) -> Option<Session> {
        self.signer().read(presented.session?, self.clock.now())
    }

    fn signer(&self) -> Signer<'_> {
        Signer { pepper: &self.pepper, admin_key: &self.admin_key }
    }
}
