//! What stands behind the question mark.

use std::collections::BTreeMap;

use shared::app::listing::Piece;
use shared::domain::time::Timestamp;
use shared::protocol::fields::BadRequest;

/// The parameters of one request, each given at most once.
#[derive(Debug)]
pub(crate) struct Query(BTreeMap<String, String>);

impl Query {
    /// # Errors
    /// [`BadRequest`] naming a parameter that is not `known` or given twice.
    pub(crate) fn read(query: Option<&str>, known: &[&str]) -> Result<Self, BadRequest> {
        let mut parameters = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if !known.contains(&name.as_ref()) {
                return Err(BadRequest::new(&*name, format!("unknown query parameter {name:?}")));
            }
            if parameters.insert(name.to_string(), value.into_owned()).is_some() {
                return Err(BadRequest::new(&*name, format!("{name} is given twice")));
            }
        }
        Ok(Query(parameters))
    }

    /// # Errors
    /// [`BadRequest`] where it is given and empty.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, BadRequest> {
        match self.0.remove(name) {
            Some(text) if text.is_empty() => Err(BadRequest::new(name, format!("{name} must not be empty"))),
            text => Ok(text),
        }
    }

    /// # Errors
    /// [`BadRequest`] where it is given and no time.
    pub(crate) fn time(&mut self, name: &str) -> Result<Option<Timestamp>, BadRequest> {
        let wrong = |text: &str| {
            let example = "such as 2026-11-24T10:00:00Z or 2026-11-24";
            BadRequest::new(
                name,
                format!("{name} must be a time in RFC 3339 or a date, {example}, got {text:?}"),
            )
        };
        let read = |text: String| Timestamp::parse(&text).ok_or_else(|| wrong(&text));
        self.text(name)?.map(read).transpose()
    }

    /// How many entries a list may have: `limit`, or `usual`.
    ///
    /// # Errors
    /// [`BadRequest`] where it is given and not a whole number from 1 to `most`.
    pub(crate) fn limit(&mut self, usual: usize, most: usize) -> Result<usize, BadRequest> {
        let Some(text) = self.text("limit")? else { return Ok(usual) };
        let limit = text.parse().ok().filter(|limit| (1..=most).contains(limit));
        let wrong = || format!("limit must be a whole number from 1 to {most}, got {text:?}");
        limit.ok_or_else(|| BadRequest::new("limit", wrong()))
    }

    /// `after` and `limit` of a list that is read piece by piece.
    ///
    /// # Errors
    /// As [`Query::text`] and [`Query::limit`].
    pub(crate) fn piece(&mut self) -> Result<Piece, BadRequest> {
        Ok(Piece { after: self.text("after")?, most: self.limit(500, 1_000)? })
    }

    /// # Errors
    /// [`BadRequest`] where it is given and cannot be read; `what` says how it should look.
    pub(crate) fn parsed<T: std::str::FromStr>(
        &mut self,
        name: &str,
        what: &str,
    ) -> Result<Option<T>, BadRequest> {
        let read = |text: String| {
            text.parse().map_err(|_| BadRequest::new(name, format!("{name} must be {what}, got {text:?}")))
        };
        self.text(name)?.map(read).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(read: impl FnOnce(&mut Query) -> Result<(), BadRequest>, query: &str) -> String {
        let parameters = Query::read(Some(query), &["since", "limit", "after"]);
        parameters.and_then(|mut parameters| read(&mut parameters)).expect_err(query).param
    }

    #[test]
    fn what_is_wrong_is_named() {
        let since = |query: &mut Query| query.time("since").map(|_| ());
        assert_eq!(refused(since, "sinse=2026-11-24"), "sinse");
        assert_eq!(refused(since, "since=2026-11-24&since=2026-11-25"), "since");
        assert_eq!(refused(since, "since=yesterday"), "since");
        assert_eq!(refused(since, "since="), "since");
        for wrong in ["0", "501", "-1", "many"] {
            assert_eq!(refused(|query| query.limit(10, 500).map(|_| ()), &format!("limit={wrong}")), "limit");
        }
        assert_eq!(refused(|query| query.parsed::<u8>("after", "a number").map(|_| ()), "after=x"), "after");
    }

    #[test]
    fn what_is_given_is_read_and_what_is_not_has_its_default() {
        let mut query =
            Query::read(Some("since=2026-11-24T10%3A00%3A00Z&after=a%2Fb"), &["since", "after", "limit"])
                .expect("known parameters");
        assert_eq!(
            query.time("since").expect("a time").map(Timestamp::rfc3339).as_deref(),
            Some("2026-11-24T10:00:00Z")
        );
        assert_eq!(query.text("after"), Ok(Some("a/b".to_owned())));
        assert_eq!(query.limit(7, 500), Ok(7));
        assert!(Query::read(None, &[]).is_ok());
    }
}
