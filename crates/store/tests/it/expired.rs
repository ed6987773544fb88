//! Rows whose stated life is over.

use crate::support::{World, fresh, fresh_uuid, later};
use domain::Id;
use store::{
    expired::{self, Expired},
    sessions::{self, NewSession},
    transact,
};

#[tokio::test]
async fn sessions_are_deleted_when_they_expire_and_not_before() {
    let world = World::new().await;
    let user = fresh();
    for (hash, seconds) in [(b"first session", 10), (b"later session", 20)] {
        let new = NewSession {
            id: Id::from_uuid(fresh_uuid()),
            hash,
            user,
            expires_at: later(seconds),
            address: "192.0.2.1",
            user_agent: "",
        };
        transact!(world.store, "test", tx => sessions::insert(tx, new, 10, later(0)).await).expect("a session");
    }
    for (seconds, deleted) in [(9, 0), (10, 1), (19, 0), (20, 1)] {
        let now = later(seconds);
        let swept = transact!(world.store, "test", tx => expired::delete(tx, Expired::Sessions, now).await);
        assert_eq!(swept.expect("a sweep").rows, deleted, "after {seconds} s");
    }
}
