//! Inputs wait once, in order, until a step takes them.

use crate::support::World;
use store::{mailbox, mailbox::MailRow, transact};

#[tokio::test]
async fn inputs_are_taken_once_in_order() {
    let world = World::new().await;
    let (conversation, other) = (world.conversation().await, world.conversation().await);
    let mail = |seq: i64, key: &str| MailRow { seq, input_key: key.into(), body: format!("{seq}") };
    let put = transact!(world.store, "test", tx => {
        let mut put = Vec::new();
        for row in [mail(3, "c"), mail(1, "a"), mail(2, "b"), mail(4, "a")] {
            put.push(mailbox::put(tx, world.project, conversation, &row).await?);
        }
        put.push(mailbox::put(tx, world.project, other, &mail(1, "a")).await?);
        Ok(put)
    });
    assert_eq!(put.unwrap(), [true, true, true, false, true]);
    for expected in [vec!["1", "2", "3"], vec![]] {
        let taken = transact!(world.store, "test", tx => mailbox::take(tx, world.project, conversation).await).unwrap();
        assert_eq!(taken.iter().map(|row| row.body.as_str()).collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn failed_step_keeps_its_inputs() {
    let world = World::new().await;
    let conversation = world.conversation().await;
    let row = MailRow { seq: 1, input_key: "a".into(), body: "hello".into() };
    transact!(world.store, "test", tx => mailbox::put(tx, world.project, conversation, &row).await).unwrap();
    let failed: store::Result<()> = transact!(world.store, "test", tx => {
        assert_eq!(mailbox::take(tx, world.project, conversation).await?.len(), 1);
        Err(store::Error::StaleEpoch)
    });
    assert!(failed.is_err());
    let taken = transact!(world.store, "test", tx => mailbox::take(tx, world.project, conversation).await).unwrap();
    assert_eq!(taken.len(), 1);
}
