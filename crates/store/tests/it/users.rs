//! Visibility of projects, and CLI sign-in.

use crate::support::{NOW, World, fresh, later};
use domain::{api_key, cli_login, ids::ProjectId};
use store::{
    cli_logins, transact,
    users::{self, UserRow},
};

async fn user(world: &World, email: &str, is_operator: bool) -> UserRow {
    let id = fresh();
    transact!(world.store, "test", tx => users::ensure(tx, id, email, is_operator, NOW).await)
        .expect("the statement runs")
}

async fn seen(world: &World, user: &UserRow, hidden: ProjectId) -> Vec<ProjectId> {
    let mut reader = world.store.read().await.expect("the statement runs");
    let mut ids: Vec<ProjectId> = users::projects(&mut reader.conn(), user.id, hidden)
        .await
        .expect("the statement runs")
        .iter()
        .map(|project| project.id)
        .collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn operators_see_all_projects_and_members_their_own() {
    let world = World::new().await;
    let (other, hidden) = (fresh(), fresh());
    world.add_project(other).await;
    world.add_project(hidden).await;
    let (ana, operator) = (user(&world, "ana@example.com", false).await, user(&world, "op@example.com", true).await);
    assert_eq!(seen(&world, &ana, hidden).await, []);
    for _ in 0..2 {
        transact!(world.store, "test", tx => users::join(tx, other, ana.id, NOW).await).unwrap();
    }
    assert_eq!(seen(&world, &ana, hidden).await, [other]);
    assert_eq!(seen(&world, &operator, hidden).await, [world.project, other]);
    let mut reader = world.store.read().await.unwrap();
    for (user, project, found) in [(&ana, other, true), (&ana, world.project, false), (&operator, world.project, true)]
    {
        assert_eq!(users::project(&mut reader.conn(), user.id, project).await.unwrap().is_some(), found);
    }
}

#[tokio::test]
async fn user_is_created_once_and_operator_stays_operator() {
    let world = World::new().await;
    let first = user(&world, "ana@example.com", false).await;
    let second = user(&world, "ana@example.com", true).await;
    let third = user(&world, "ana@example.com", false).await;
    assert_eq!([second.id, third.id], [first.id; 2]);
    assert_eq!([first.is_operator, second.is_operator, third.is_operator], [false, true, true]);
}

#[tokio::test]
async fn approved_code_gives_one_token_until_it_expires() {
    let world = World::new().await;
    let (ana, eve) = (user(&world, "ana@example.com", false).await, user(&world, "eve@example.com", false).await);
    let hash = cli_login::hash("ABCDEF-GHJKMN-PQRSTU");
    let approve = async |user, at| {
        transact!(world.store, "test", tx => cli_logins::approve(tx, &hash, user, later(at)).await).unwrap()
    };
    let take = async |at| transact!(world.store, "test", tx => cli_logins::take(tx, &hash, later(at)).await).unwrap();
    assert!(!approve(ana.id, 0).await, "no pending code");
    transact!(world.store, "test", tx => cli_logins::begin(tx, &hash, later(600), NOW).await).unwrap();
    assert_eq!(take(1).await, None, "not approved");
    assert!(!approve(ana.id, 600).await, "too old");
    assert!(approve(ana.id, 2).await);
    assert!(!approve(eve.id, 3).await, "approved for another user already");
    assert_eq!(take(600).await, None, "too old");
    assert_eq!(take(4).await, Some(ana.id));
    assert_eq!(take(5).await, None, "used");
}

#[tokio::test]
async fn expired_codes_are_deleted_when_another_begins() {
    let world = World::new().await;
    let begin = async |code: &str, at| {
        let hash = cli_login::hash(code);
        transact!(world.store, "test", tx => {
            cli_logins::begin(tx, &hash, later(at + 600), later(at)).await?;
            cli_logins::waiting(tx).await
        })
        .unwrap()
    };
    assert_eq!([begin("a", 0).await, begin("b", 1).await, begin("c", 600).await], [1, 2, 2]);
}

#[tokio::test]
async fn token_is_valid_until_revoked_or_expired() {
    let world = World::new().await;
    let ana = user(&world, "ana@example.com", false).await;
    let random: Vec<u8> = (0..=255).collect();
    let token = api_key::token_from_random(&random).unwrap();
    transact!(world.store, "test", tx => cli_logins::insert_token(tx, &token, ana.id, later(60), NOW).await).unwrap();
    let found = async |at| {
        let mut reader = world.store.read().await.unwrap();
        cli_logins::token(&mut reader.conn(), &token.lookup, later(at)).await.unwrap()
    };
    let row = found(59).await.unwrap();
    assert_eq!((row.user_id, row.hash), (ana.id, token.hash.to_vec()));
    assert!(found(60).await.is_none());
    transact!(world.store, "test", tx => cli_logins::revoke(tx, &token.lookup).await).unwrap();
    assert!(found(1).await.is_none());
}
