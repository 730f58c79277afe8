//! The vector index of the cache table: its definition, and how it is added to a table that has none.

use async_trait::async_trait;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, CreateVectorIndexAction, Projection, ProjectionType, ScalarAttributeType,
    SearchSchemaElement, SearchSchemaElementType, VectorAttributeDefinition, VectorDistanceFunction,
    VectorIndex, VectorIndexUpdate,
};

use super::errors::store_error;
use super::vectors::DynamoVectors;
use crate::ports::vector_rules::same_size;
use crate::ports::{SetUpVectors, StoreError};

/// The name of the index.
pub const VECTOR_INDEX: &str = "vectors";
/// Components of a vector, as the template declares them: those of the embedder that comes along.
pub const VECTOR_DIMENSIONS: usize = 384;
/// The attribute that a search must name, its `HASH`. A string, and defined in the table.
pub(super) const PARTITION: &str = "partition";
/// The attribute with the vector, a list of numbers.
pub(super) const VECTOR: &str = "vector";
/// What the index keeps beside the keys, the partition and the vector.
const PROJECTED: [&str; 2] = ["payload", "expires"];

/// The index, for the creation of a table.
///
/// # Errors
/// Never: every field is given.
pub fn vector_index(dimensions: usize) -> Result<VectorIndex, BuildError> {
    VectorIndex::builder()
        .index_name(VECTOR_INDEX)
        .vector_attribute(VectorAttributeDefinition::builder().attribute_name(VECTOR).build()?)
        .search_schema(by_partition()?)
        .projection(projection())
        .dimensions(i64::try_from(dimensions).unwrap_or(i64::MAX))
        .distance_function(VectorDistanceFunction::Cosine)
        .build()
}

/// The attribute that the table must define for the index.
///
/// # Errors
/// Never: every field is given.
pub fn vector_partition() -> Result<AttributeDefinition, BuildError> {
    AttributeDefinition::builder().attribute_name(PARTITION).attribute_type(ScalarAttributeType::S).build()
}

fn by_partition() -> Result<SearchSchemaElement, BuildError> {
    SearchSchemaElement::builder()
        .attribute_name(PARTITION)
        .search_schema_element_type(SearchSchemaElementType::Hash)
        .build()
}

fn projection() -> Projection {
    let attributes = PROJECTED.iter().map(|&name| name.to_owned()).collect();
    Projection::builder()
        .projection_type(ProjectionType::Include)
        .set_non_key_attributes(Some(attributes))
        .build()
}

fn addition(dimensions: usize) -> Result<VectorIndexUpdate, BuildError> {
    let index = vector_index(dimensions)?;
    let create = CreateVectorIndexAction::builder()
        .index_name(VECTOR_INDEX)
        .set_vector_attribute(index.vector_attribute)
        .set_search_schema(index.search_schema)
        .set_projection(index.projection)
        .dimensions(index.dimensions)
        .distance_function(index.distance_function)
        .build()?;
    Ok(VectorIndexUpdate::builder().create(create).build())
}

#[async_trait]
impl SetUpVectors for DynamoVectors {
    /// The index fills in the background: until it is ready, searches find nothing.
    async fn set_up(&self, dimensions: usize) -> Result<bool, StoreError> {
        let client = &self.clients.patient;
        let described = client.describe_table().table_name(&self.table).send().await.map_err(store_error)?;
        let indexes = described.table().map(|table| table.vector_indexes()).unwrap_or_default();
        let existing = indexes.iter().find(|index| index.index_name() == Some(VECTOR_INDEX));
        if let Some(existing) = existing {
            let stored =
                existing.dimensions().map_or(dimensions, |stored| stored.try_into().unwrap_or_default());
            return same_size(VECTOR_INDEX, stored, dimensions).map(|()| false);
        }
        let unbuilt = |error: BuildError| StoreError::Rejected(error.to_string());
        client
            .update_table()
            .table_name(&self.table)
            .attribute_definitions(vector_partition().map_err(unbuilt)?)
            .vector_index_updates(addition(dimensions).map_err(unbuilt)?)
            .send()
            .await
            .map(|_| true)
            .map_err(store_error)
    }
}
