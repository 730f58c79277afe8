//! Lists that are read piece by piece.

/// A piece of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What the piece before gave as `next`; its form is the list's own.
    pub after: Option<String>,
    /// How many items at most.
    pub most: usize,
}

impl Piece {
    /// The items behind `after` in the order of their marks, and the mark of the last one where there
    /// are more. A mark is unique; whether its item is still there makes no difference.
    pub(super) fn of<T>(
        &self,
        items: impl IntoIterator<Item = T>,
        mark: impl Fn(&T) -> String,
    ) -> (Vec<T>, Option<String>) {
        let marked = items.into_iter().map(|item| (mark(&item), item));
        let is_behind = |mark: &String| self.after.as_ref().is_none_or(|after| mark > after);
        let mut left: Vec<(String, T)> = marked.filter(|(mark, _)| is_behind(mark)).collect();
        left.sort_by(|(a, _), (b, _)| a.cmp(b));
        let is_cut = left.len() > self.most;
        left.truncate(self.most);
        let next = left.last().filter(|_| is_cut).map(|(mark, _)| mark.clone());
        (left.into_iter().map(|(_, item)| item).collect(), next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_join_to_the_whole_list_in_order() {
        let items = ["d", "a", "c", "e", "b"];
        for most in 1..=6 {
            let (mut read, mut after) = (Vec::new(), None);
            loop {
                let (piece, next) = Piece { after, most }.of(items, ToString::to_string);
                assert!(piece.len() <= most);
                read.extend(piece);
                after = next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(read, ["a", "b", "c", "d", "e"], "{most} at once");
        }
        let gone = Piece { after: Some("bb".to_owned()), most: 2 };
        assert_eq!(gone.of(items, ToString::to_string), (vec!["c", "d"], Some("d".to_owned())));
    }
}
