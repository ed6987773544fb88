//! One live sandbox session for each phone and project.

use crate::support::{NOW, World, fresh, later};
use domain::{ids::AgentId, sandbox::SessionStatus};
use store::{
    Error,
    sandbox_sessions::{self, SandboxSessionRow},
    transact,
};

fn session(agent: AgentId) -> SandboxSessionRow {
    SandboxSessionRow {
        id: fresh(),
        phone: "+5511961234567".into(),
        phone_canonical: "551161234567".into(),
        agent_id: agent,
        code: "ABC234".into(),
        status: SessionStatus::PendingActivation,
        activated_at: None,
        expires_at: later(86_400),
        created_at: NOW,
        updated_at: NOW,
    }
}

#[tokio::test]
async fn phone_has_one_live_session() {
    let world = World::new().await;
    let agent = world.agent().await;
    let first = session(agent);
    transact!(world.store, "test", tx => sandbox_sessions::insert(tx, world.project, &first).await).unwrap();
    for status in [SessionStatus::PendingActivation, SessionStatus::Active, SessionStatus::Expired] {
        transact!(world.store, "test", tx => {
            let mut scope = tx.scope(world.project, later(1));
            sandbox_sessions::set(&mut scope, first.id, status, Some(NOW), later(5)).await
        })
        .unwrap();
        let second = session(agent);
        let stored = transact!(world.store, "test", tx => sandbox_sessions::insert(tx, world.project, &second).await);
        let mut reader = world.store.read().await.unwrap();
        let live =
            sandbox_sessions::live(&mut reader.conn(), world.project, &first.phone_canonical).await.unwrap().unwrap();
        if status == SessionStatus::Expired {
            stored.unwrap();
            assert_eq!(live.id, second.id);
        } else {
            assert!(matches!(stored, Err(Error::Conflict(_))), "{status}: {stored:?}");
            assert_eq!((live.id, live.status, live.expires_at), (first.id, status, later(5)));
        }
    }
    let mut reader = world.store.read().await.unwrap();
    let (rows, total) = sandbox_sessions::list(&mut reader.conn(), world.project, 1, 0).await.unwrap();
    assert_eq!((rows.len(), total), (1, 2));
    assert_ne!(rows[0].id, first.id, "newest first, ties by id");
}
