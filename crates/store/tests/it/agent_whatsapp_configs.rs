//! Links between agents and numbers.

use crate::{
    directory::config,
    support::{World, fresh, later},
};
use store::{
    Error,
    agent_whatsapp_configs::{self as links, AgentWhatsappConfigRow},
    transact, whatsapp_configs,
};

#[tokio::test]
async fn number_has_one_primary_link_and_one_link_per_agent() {
    let world = World::new().await;
    let number = config(fresh(), None, "555", "production");
    transact!(world.store, "test", tx => whatsapp_configs::insert(tx, world.project, &number).await).unwrap();
    let (first, second) = (world.agent().await, world.agent().await);
    let link = |agent_id, is_primary, seconds| AgentWhatsappConfigRow {
        id: fresh(),
        agent_id,
        whatsapp_config_id: number.id,
        is_primary,
        created_at: later(seconds),
        updated_at: later(seconds),
    };
    let insert = async |link: AgentWhatsappConfigRow| {
        transact!(world.store, "test", tx => links::insert(tx, world.project, &link).await).map(|()| link.id)
    };
    let answers = async || {
        let mut reader = world.store.read().await.unwrap();
        links::answers_on(&mut reader.conn(), world.project, number.id).await.unwrap()
    };
    assert_eq!(answers().await, None);
    insert(link(first, false, 1)).await.unwrap();
    assert_eq!(answers().await, Some(first), "none is primary");
    let primary = insert(link(second, true, 2)).await.unwrap();
    assert_eq!(answers().await, Some(second));
    assert!(matches!(insert(link(first, false, 3)).await, Err(Error::Conflict(_))));
    assert!(matches!(insert(link(world.agent().await, true, 3)).await, Err(Error::Conflict(_))));
    transact!(world.store, "test", tx => links::clear_primary(tx, world.project, number.id, later(4)).await).unwrap();
    assert_eq!(answers().await, Some(first), "the one linked first");
    transact!(world.store, "test", tx => links::set_primary(tx, world.project, primary, true, later(5)).await).unwrap();
    assert_eq!(answers().await, Some(second));
}
