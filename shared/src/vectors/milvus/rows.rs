//! A record as a row of the collection: how its fields are declared, filled and read.

use super::messages::{
    Column, FLOAT_VECTOR, FieldSchema, Floats, INT64, Longs, Results, Scalars, Strings, VAR_CHAR, Vectors,
    pair,
};
use crate::domain::time::Timestamp;
use crate::ports::vector_rules::cosine;
use crate::ports::{Neighbour, StoreError, VectorRecord};
use crate::vectors::rules::{by_similarity, digest, malformed};

pub(super) const KEY: &str = "key";
pub(super) const PARTITION: &str = "partition";
pub(super) const VECTOR: &str = "vector";
pub(super) const EXPIRES: &str = "expires";
const ID: &str = "id";
/// No text of Milvus holds more than `TEXT_MAX` bytes, and a payload may have 100 KB.
const PAYLOAD: &str = "payload";
const PAYLOAD_REST: &str = "payload_rest";
const TEXT_MAX: usize = 65_535;
const ID_MAX: usize = 1024;
const DIGEST: usize = 64;

/// What a search answers of each row.
pub(super) const OUTPUT: [&str; 4] = [ID, EXPIRES, PAYLOAD, PAYLOAD_REST];

/// The primary key of a row: one for a partition and an id, without a character that needs quoting.
pub(super) fn key(partition: &str, id: &str) -> String {
    format!("{}:{}", digest(partition), digest(id))
}

pub(super) fn fields(dimensions: usize) -> Vec<FieldSchema> {
    let text = |name: &str, most: usize| FieldSchema {
        name: name.to_owned(),
        data_type: VAR_CHAR,
        type_params: vec![pair("max_length", most)],
        ..FieldSchema::default()
    };
    vec![
        FieldSchema { is_primary_key: true, ..text(KEY, 2 * DIGEST + 1) },
        FieldSchema { is_partition_key: true, ..text(PARTITION, DIGEST) },
        text(ID, ID_MAX),
        FieldSchema { name: EXPIRES.to_owned(), data_type: INT64, ..FieldSchema::default() },
        text(PAYLOAD, TEXT_MAX),
        text(PAYLOAD_REST, TEXT_MAX),
        FieldSchema {
            name: VECTOR.to_owned(),
            data_type: FLOAT_VECTOR,
            type_params: vec![pair("dim", dimensions)],
            ..FieldSchema::default()
        },
    ]
}

pub(super) fn columns(records: &[&VectorRecord]) -> Vec<Column> {
    let text = |name: &str, of: &dyn Fn(&VectorRecord) -> String| {
        let data = records.iter().map(|record| of(record)).collect();
        let scalars = Scalars { strings: Some(Strings { data }), longs: None };
        Column { kind: VAR_CHAR, field_name: name.to_owned(), scalars: Some(scalars), vectors: None }
    };
    let expiries = Longs { data: records.iter().map(|record| record.expires.millis()).collect() };
    let dimensions = records.first().map_or(0, |record| record.vector.len());
    let floats = Floats { data: records.iter().flat_map(|record| record.vector.iter().copied()).collect() };
    vec![
        text(KEY, &|record| key(&record.partition, &record.id)),
        text(PARTITION, &|record| digest(&record.partition)),
        text(ID, &|record| record.id.clone()),
        text(PAYLOAD, &|record| halves(&record.payload).0.to_owned()),
        text(PAYLOAD_REST, &|record| halves(&record.payload).1.to_owned()),
        Column {
            kind: INT64,
            field_name: EXPIRES.to_owned(),
            scalars: Some(Scalars { longs: Some(expiries), strings: None }),
            vectors: None,
        },
        Column {
            kind: FLOAT_VECTOR,
            field_name: VECTOR.to_owned(),
            scalars: None,
            vectors: Some(Vectors {
                dim: i64::try_from(dimensions).unwrap_or(i64::MAX),
                floats: Some(floats),
            }),
        },
    ]
}

/// As much of a payload as one field holds, and the rest. A rest that is too long is the server's to refuse.
fn halves(payload: &str) -> (&str, &str) {
    payload.split_at(payload.floor_char_boundary(TEXT_MAX))
}

pub(super) fn neighbours(results: Results) -> Result<Vec<Neighbour>, StoreError> {
    let Results { fields_data, scores } = results;
    if scores.is_empty() {
        return Ok(Vec::new());
    }
    let (ids, payloads) = (texts(&fields_data, ID)?, texts(&fields_data, PAYLOAD)?);
    let (rests, expiries) = (texts(&fields_data, PAYLOAD_REST)?, longs(&fields_data, EXPIRES)?);
    let mut found = Vec::new();
    for (n, score) in scores.iter().enumerate() {
        let text = |column: &'_ [String]| column.get(n).cloned().ok_or_else(|| malformed("row"));
        found.push(Neighbour {
            id: text(ids)?,
            similarity: cosine(f64::from(*score)),
            expires: Timestamp::from_millis(*expiries.get(n).ok_or_else(|| malformed("row"))?),
            payload: text(payloads)? + &text(rests)?,
        });
    }
    Ok(by_similarity(found))
}

fn scalars<'a>(columns: &'a [Column], name: &str) -> Result<&'a Scalars, StoreError> {
    let column = columns.iter().find(|column| column.field_name == name);
    column.and_then(|column| column.scalars.as_ref()).ok_or_else(|| malformed(name))
}

fn texts<'a>(columns: &'a [Column], name: &str) -> Result<&'a [String], StoreError> {
    let strings = scalars(columns, name)?.strings.as_ref().ok_or_else(|| malformed(name))?;
    Ok(&strings.data)
}

fn longs<'a>(columns: &'a [Column], name: &str) -> Result<&'a [i64], StoreError> {
    let longs = scalars(columns, name)?.longs.as_ref().ok_or_else(|| malformed(name))?;
    Ok(&longs.data)
}

#[cfg(test)]
mod tests {
    use super::{TEXT_MAX, halves};

    #[test]
    fn a_payload_is_cut_between_characters_and_nothing_of_it_is_lost() {
        for payload in [
            String::new(),
            "a".repeat(TEXT_MAX),
            "\u{1f980}".repeat(25_000),
            format!("a{}", "\u{fc}".repeat(50_000)),
        ] {
            let (first, rest) = halves(&payload);
            assert!(first.len() <= TEXT_MAX && rest.len() <= TEXT_MAX, "{} and {}", first.len(), rest.len());
            assert!(rest.is_empty() || first.len() > TEXT_MAX - 4, "as much as it holds");
            assert_eq!(format!("{first}{rest}"), payload);
        }
    }
}
