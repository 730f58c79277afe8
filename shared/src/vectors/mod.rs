//! Stores of vectors for the semantic tier of the cache, each behind a feature of its own. The one
//! that needs no feature of its own is the vector index of the cache table, in `aws`.

use crate::ports::{SearchVectors, SetUpVectors, WriteVectors};

/// All that a store of vectors can do. A function is given the parts that it needs.
pub trait VectorStore: SearchVectors + WriteVectors + SetUpVectors {}

impl<T: SearchVectors + WriteVectors + SetUpVectors> VectorStore for T {}
