//! The tables as the template declares them, for stores without a template.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, DisplayErrorContext};
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, TimeToLiveSpecification,
};
use shared::aws::{KEY_INDEX, Tables, VECTOR_DIMENSIONS, vector_index, vector_partition};

const EXPIRY: &str = "expiresAt";

/// Creates the tables that do not exist yet.
///
/// # Errors
/// When the database refuses one.
pub async fn create_tables(client: &Client, tables: &Tables) -> Result<(), String> {
    for name in [&tables.control, &tables.budgets, &tables.usage] {
        create(plain(client, name).map_err(|error| error.to_string())?).await?;
    }
    create_cache(client, &tables.cache).await?;
    let ledger = plain(client, &tables.ledger).and_then(with_key_index);
    create(ledger.map_err(|error| error.to_string())?).await?;
    expire(client, &tables.cache).await
}

/// DynamoDB Local refuses the vector index, of which it knows nothing. The table is of use without.
async fn create_cache(client: &Client, name: &str) -> Result<(), String> {
    let indexed = plain(client, name).and_then(with_vector_index).map_err(|error| error.to_string())?;
    if create(indexed).await.is_ok() {
        return Ok(());
    }
    create(plain(client, name).map_err(|error| error.to_string())?).await
}

/// A table with the string keys `pk` and `sk`.
fn plain(client: &Client, name: &str) -> Result<CreateTableFluentBuilder, BuildError> {
    Ok(client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(string("pk")?)
        .attribute_definitions(string("sk")?)
        .key_schema(element("pk", KeyType::Hash)?)
        .key_schema(element("sk", KeyType::Range)?))
}

fn with_key_index(table: CreateTableFluentBuilder) -> Result<CreateTableFluentBuilder, BuildError> {
    let index = GlobalSecondaryIndex::builder()
        .index_name(KEY_INDEX)
        .key_schema(element("keyId", KeyType::Hash)?)
        .key_schema(element("sk", KeyType::Range)?)
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()?;
    Ok(table.attribute_definitions(string("keyId")?).global_secondary_indexes(index))
}

fn with_vector_index(table: CreateTableFluentBuilder) -> Result<CreateTableFluentBuilder, BuildError> {
    Ok(table.attribute_definitions(vector_partition()?).vector_indexes(vector_index(VECTOR_DIMENSIONS)?))
}

async fn create(table: CreateTableFluentBuilder) -> Result<(), String> {
    let Err(error) = table.send().await else { return Ok(()) };
    match error.as_service_error() {
        Some(refused) if refused.is_resource_in_use_exception() => Ok(()),
        _ => Err(format!("a table cannot be created: {}", DisplayErrorContext(&error))),
    }
}

async fn expire(client: &Client, table: &str) -> Result<(), String> {
    let expiry = TimeToLiveSpecification::builder().attribute_name(EXPIRY).enabled(true).build();
    let expiry = expiry.map_err(|error| error.to_string())?;
    let sent = client.update_time_to_live().table_name(table).time_to_live_specification(expiry).send().await;
    match sent {
        Ok(_) => Ok(()),
        // It is refused where it is on already.
        Err(error) if error.raw_response().is_some_and(|reply| reply.status().is_client_error()) => Ok(()),
        Err(error) => Err(format!("expiry cannot be set: {}", DisplayErrorContext(&error))),
    }
}

fn string(name: &str) -> Result<AttributeDefinition, BuildError> {
    AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build()
}

fn element(name: &str, kind: KeyType) -> Result<KeySchemaElement, BuildError> {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build()
}
