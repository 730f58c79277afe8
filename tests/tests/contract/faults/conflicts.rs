//! Reserves that meet the transaction of a late settlement.

use super::gremlin::Fault;
use super::rig::{CAP, HOLD, Rig};
use crate::contract::samples::books;
use crate::contract::stores::Stores;

on_dynamodb!(a_reserve_that_meets_a_transaction_waits_and_is_admitted_under_its_id);

async fn a_reserve_that_meets_a_transaction_waits_and_is_admitted_under_its_id(stores: &Stores) {
    let rig = Rig::over(stores).await;
    rig.gremlin.arm(Fault::Conflict);
    rig.gremlin.arm(Fault::Conflict);
    let reservation = rig.reserve().await.expect("admitted");
    assert_eq!(rig.gremlin.sent_once(), [reservation.id()], "those that conflicted were not applied");
    assert_eq!(books(&rig.counter().await), (0, HOLD, CAP - HOLD));
    for _ in 0..20 {
        rig.gremlin.arm(Fault::Conflict);
    }
    rig.reserve().await.expect_err("budgets fail closed");
    assert_eq!(books(&rig.counter().await), (0, HOLD, CAP - HOLD));
}
