//! The state of a counter, edited by hand where items of older versions are meant: those have a state alone.

use aws_sdk_dynamodb::types::AttributeValue;
use shared::domain::counter::{ScopeState, WindowForm};

use super::samples::{books, close, counter, counter_key, held, refused, reserve};
use super::stores::Stores;

on_dynamodb!(a_scope_that_is_not_active_admits_nothing);
/// Sets one text attribute of the counter's item.
async fn edit(stores: &Stores, name: &str, value: &str) {
    let dynamo = stores.dynamo().expect("a DynamoDB");
    let key = counter_key();
    dynamo
        .clients()
        .dynamodb()
        .update_item()
        .table_name(&dynamo.tables.budgets)
        .key("pk", AttributeValue::S(format!("{}#{}", key.kind, key.id)))
        .key("sk", AttributeValue::S(key.period))
        .update_expression("SET #name = :value")
        .condition_expression("attribute_exists(pk)")
        .expression_attribute_names("#name", name)
        .expression_attribute_values(":value", AttributeValue::S(value.to_owned()))
        .send()
        .await
        .expect("edited");
}

async fn a_scope_that_is_not_active_admits_nothing(stores: &Stores) {
    held(stores, &reserve(1, 100, WindowForm::Create)).await;
    for (word, state) in [("stopped", ScopeState::Stopped), ("throttled", ScopeState::Throttled)] {
        edit(stores, "state", word).await;
        let old = refused(stores, &reserve(2, 0, WindowForm::Same)).await.expect("a counter");
        assert_eq!(old.state, state);
    }
    stores.counters.close(&close(1, 40)).await.expect("a stopped scope still settles");
    assert_eq!(books(&counter(stores).await), (40, 0, 960));
    edit(stores, "state", "active").await;
    held(stores, &reserve(3, 1, WindowForm::Same)).await;
}
