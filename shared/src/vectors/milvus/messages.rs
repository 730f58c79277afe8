//! The messages of Milvus's protocol that the adapter sends and reads, with the fields that it uses; the
//! numbers are the protocol's. What a `oneof` holds is an optional field each, which is the same on the wire.

use prost::Message;

/// Fields of `DataType`.
pub(super) const INT64: i32 = 5;
pub(super) const VAR_CHAR: i32 = 21;
pub(super) const FLOAT_VECTOR: i32 = 101;
/// `ConsistencyLevel`: what is seen may be a few seconds old.
pub(super) const BOUNDED: i32 = 2;
/// `DslType`: the filter is an expression.
pub(super) const EXPRESSION: i32 = 1;
/// `LoadState`: all of it can be searched.
pub(super) const LOADED: i32 = 3;

#[derive(Clone, PartialEq, Message)]
pub(super) struct Status {
    /// The elder code; servers fill in this one, the other, or both.
    #[prost(int32, tag = "1")]
    pub(super) error_code: i32,
    #[prost(string, tag = "2")]
    pub(super) reason: String,
    #[prost(int32, tag = "3")]
    pub(super) code: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct KeyValue {
    #[prost(string, tag = "1")]
    pub(super) key: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct CollectionSchema {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(message, repeated, tag = "4")]
    pub(super) fields: Vec<FieldSchema>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct FieldSchema {
    #[prost(string, tag = "2")]
    pub(super) name: String,
    #[prost(bool, tag = "3")]
    pub(super) is_primary_key: bool,
    #[prost(int32, tag = "5")]
    pub(super) data_type: i32,
    #[prost(message, repeated, tag = "6")]
    pub(super) type_params: Vec<KeyValue>,
    #[prost(bool, tag = "13")]
    pub(super) is_partition_key: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct CreateCollection {
    #[prost(string, tag = "3")]
    pub(super) collection_name: String,
    /// A [`CollectionSchema`], encoded.
    #[prost(bytes = "vec", tag = "4")]
    pub(super) schema: Vec<u8>,
    #[prost(int32, tag = "6")]
    pub(super) consistency_level: i32,
}

/// `DescribeCollection` and `LoadCollection`, of which the name is all that is given.
#[derive(Clone, PartialEq, Message)]
pub(super) struct NamedThird {
    #[prost(string, tag = "3")]
    pub(super) collection_name: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct GetLoadState {
    #[prost(string, tag = "2")]
    pub(super) collection_name: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct LoadState {
    #[prost(message, optional, tag = "1")]
    pub(super) status: Option<Status>,
    #[prost(int32, tag = "2")]
    pub(super) state: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Collection {
    #[prost(message, optional, tag = "1")]
    pub(super) status: Option<Status>,
    #[prost(message, optional, tag = "2")]
    pub(super) schema: Option<CollectionSchema>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct CreateIndex {
    #[prost(string, tag = "3")]
    pub(super) collection_name: String,
    #[prost(string, tag = "4")]
    pub(super) field_name: String,
    #[prost(message, repeated, tag = "5")]
    pub(super) extra_params: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct DescribeIndex {
    #[prost(string, tag = "3")]
    pub(super) collection_name: String,
    #[prost(string, tag = "4")]
    pub(super) field_name: String,
}

/// What is read of an answer that matters for nothing but whether it was a success.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Outcome {
    #[prost(message, optional, tag = "1")]
    pub(super) status: Option<Status>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Upsert {
    #[prost(string, tag = "3")]
    pub(super) collection_name: String,
    /// One a field, each with a value for every row.
    #[prost(message, repeated, tag = "5")]
    pub(super) fields_data: Vec<Column>,
    #[prost(uint32, tag = "7")]
    pub(super) num_rows: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Delete {
    #[prost(string, tag = "3")]
    pub(super) collection_name: String,
    #[prost(string, tag = "5")]
    pub(super) expr: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Column {
    #[prost(int32, tag = "1")]
    pub(super) kind: i32,
    #[prost(string, tag = "2")]
    pub(super) field_name: String,
    #[prost(message, optional, tag = "3")]
    pub(super) scalars: Option<Scalars>,
    #[prost(message, optional, tag = "4")]
    pub(super) vectors: Option<Vectors>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Scalars {
    #[prost(message, optional, tag = "3")]
    pub(super) longs: Option<Longs>,
    #[prost(message, optional, tag = "6")]
    pub(super) strings: Option<Strings>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Longs {
    #[prost(int64, repeated, tag = "1")]
    pub(super) data: Vec<i64>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Strings {
    #[prost(string, repeated, tag = "1")]
    pub(super) data: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Vectors {
    #[prost(int64, tag = "1")]
    pub(super) dim: i64,
    #[prost(message, optional, tag = "2")]
    pub(super) floats: Option<Floats>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Floats {
    /// The vectors of all rows, one after the other.
    #[prost(float, repeated, tag = "1")]
    pub(super) data: Vec<f32>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Search {
    #[prost(string, tag = "3")]
    pub(super) collection_name: String,
    #[prost(string, tag = "5")]
    pub(super) dsl: String,
    /// [`Placeholders`], encoded.
    #[prost(bytes = "vec", tag = "6")]
    pub(super) placeholder_group: Vec<u8>,
    #[prost(int32, tag = "7")]
    pub(super) dsl_type: i32,
    #[prost(string, repeated, tag = "8")]
    pub(super) output_fields: Vec<String>,
    #[prost(message, repeated, tag = "9")]
    pub(super) search_params: Vec<KeyValue>,
    /// How many vectors are searched for.
    #[prost(int64, tag = "12")]
    pub(super) nq: i64,
    #[prost(bool, tag = "15")]
    pub(super) use_default_consistency: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Placeholders {
    #[prost(message, repeated, tag = "1")]
    pub(super) placeholders: Vec<Placeholder>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Placeholder {
    #[prost(string, tag = "1")]
    pub(super) tag: String,
    #[prost(int32, tag = "2")]
    pub(super) kind: i32,
    /// Of each vector its components, little end first.
    #[prost(bytes = "vec", repeated, tag = "3")]
    pub(super) values: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Found {
    #[prost(message, optional, tag = "1")]
    pub(super) status: Option<Status>,
    #[prost(message, optional, tag = "2")]
    pub(super) results: Option<Results>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Results {
    #[prost(message, repeated, tag = "3")]
    pub(super) fields_data: Vec<Column>,
    #[prost(float, repeated, tag = "4")]
    pub(super) scores: Vec<f32>,
}

pub(super) fn pair(key: &str, value: impl ToString) -> KeyValue {
    KeyValue { key: key.to_owned(), value: value.to_string() }
}
