//! Closed sets of names, and the nearest name to one that is not in the set.

use std::fmt;

/// A setting that takes one of a closed set of names.
pub trait Named: Copy + PartialEq + fmt::Debug + 'static {
    /// Every value with the name it has in the file.
    const NAMES: &'static [(&'static str, Self)];

    /// The value called `name`, if there is one.
    fn from_name(name: &str) -> Option<Self> {
        let known = Self::NAMES.iter().find(|(known, _)| *known == name);
        known.map(|(_, value)| *value)
    }
}

/// Defines an enum, its names and their two conversions from one list, so that none can be
/// forgotten.
macro_rules! named_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident => $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// The name this value has in the configuration file.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl $crate::config::names::Named for $name {
            const NAMES: &'static [(&'static str, Self)] = &[$(($text, Self::$variant)),+];
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

pub(super) use named_enum;

/// The candidate most like `name`, whatever the case of its letters.
pub(super) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_ascii_lowercase();
    let likeness = |known: &str| strsim::normalized_damerau_levenshtein(&wanted, &known.to_ascii_lowercase());
    candidates.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
}

/// "is not a known ...; the nearest known name is ..." for a name outside a closed set.
pub(super) fn unknown<'a>(kind: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(name, known) {
        Some(near) => format!("{name:?} is not a known {kind}; the nearest known name is {near:?}"),
        None => format!("{name:?} is not a known {kind}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_survives_typos_transpositions_and_case() {
        let known = ["semantic_threshold", "ttl_hours", "version_key"];
        for (typo, meant) in [
            ("ttl_hour", "ttl_hours"),
            ("TTL_HOURS", "ttl_hours"),
            ("symantic_treshold", "semantic_threshold"),
            ("verison_key", "version_key"),
        ] {
            assert_eq!(nearest(typo, known), Some(meant), "{typo}");
        }
    }

    #[test]
    fn an_empty_set_has_no_nearest_name() {
        assert_eq!(unknown("tenant", "acme", []), "\"acme\" is not a known tenant");
    }
}
