//! Visibility of projects, and CLI sign-in.

use crate::support::{NOW, World, fresh, later};
use domain::{api_key, cli_login, ids::ProjectId};
use store::{
    cli_logins::{self, Access, ApprovedLogin, NewLogin},
    transact,
    users::{self, UserRow},
};

async fn user(world: &World, email: &str, is_operator: bool) -> UserRow {
    let id = fresh();
    transact!(world.store, "test", tx => users::ensure(tx, id, email, is_operator, NOW).await)
        .expect("the statement runs")
}

fn login<'l>(code_hash: &'l [u8], network: &'l str) -> NewLogin<'l> {
    NewLogin { code_hash, address: network, network, user_agent: "kapso-cli/0.4.0", client: "kapso-cli" }
}

/// Signs a user in. Returns the lookup part of the token.
async fn token(world: &World, user: &UserRow, access: Access<'_>) -> String {
    let random: Vec<u8> = (0..256).map(|_| uuid::Uuid::now_v7().as_bytes()[15] % 248).collect();
    let (token, hash) =
        (api_key::token_from_random(&random).expect("a token"), cli_login::hash(&format!("{random:?}")));
    transact!(world.store, "test", tx => {
        cli_logins::begin(tx, login(&hash, ""), later(600), NOW).await?;
        assert!(cli_logins::approve(tx, &hash, user.id, access, NOW).await?);
        let approved = cli_logins::take(tx, &hash, NOW).await?.expect("an approved code");
        cli_logins::insert_token(tx, &token, &hash, approved, later(600), NOW).await
    })
    .expect("the statements run");
    token.lookup
}

async fn seen(world: &World, user: &UserRow, access: Access<'_>, hidden: ProjectId) -> Vec<ProjectId> {
    let token = token(world, user, access).await;
    let mut reader = world.store.read().await.expect("the statement runs");
    let mut ids: Vec<ProjectId> = users::projects(&mut reader.conn(), user.id, &token, hidden)
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
    assert_eq!(seen(&world, &ana, Access::Operator, hidden).await, []);
    for _ in 0..2 {
        transact!(world.store, "test", tx => users::join(tx, other, ana.id, NOW).await).unwrap();
    }
    assert_eq!(seen(&world, &ana, Access::Operator, hidden).await, [other]);
    assert_eq!(seen(&world, &operator, Access::Operator, hidden).await, [world.project, other]);
    for (user, project, found) in [(&ana, other, true), (&ana, world.project, false), (&operator, world.project, true)]
    {
        let token = token(&world, user, Access::Operator).await;
        let mut reader = world.store.read().await.unwrap();
        let mut conn = reader.conn();
        assert_eq!(users::project(&mut conn, user.id, project).await.unwrap().is_some(), found);
        let of_token = users::project_of_token(&mut conn, user.id, &token, project).await.unwrap();
        assert_eq!(of_token.is_some(), found);
    }
}

#[tokio::test]
async fn token_with_projects_never_shows_more_than_its_user_sees() {
    let world = World::new().await;
    let (other, hidden) = (fresh(), fresh());
    world.add_project(other).await;
    let (ana, operator) = (user(&world, "ana@example.com", false).await, user(&world, "op@example.com", true).await);
    transact!(world.store, "test", tx => users::join(tx, other, ana.id, NOW).await).unwrap();
    let (one, both) = ([other], [other, world.project]);
    assert_eq!(seen(&world, &operator, Access::Projects(&one), hidden).await, one);
    assert_eq!(seen(&world, &operator, Access::Projects(&[]), hidden).await, []);
    assert_eq!(seen(&world, &ana, Access::Projects(&both), hidden).await, one, "she is no member of the second");
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
        transact!(world.store, "test", tx => cli_logins::approve(tx, &hash, user, Access::Operator, later(at)).await)
            .unwrap()
    };
    let take = async |at| {
        transact!(world.store, "test", tx => cli_logins::take(tx, &hash, later(at)).await)
            .unwrap()
            .map(|login| login.user_id)
    };
    assert!(!approve(ana.id, 0).await, "no pending code");
    transact!(world.store, "test", tx => cli_logins::begin(tx, login(&hash, "a"), later(600), NOW).await).unwrap();
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
    let begin = async |code: &str, network: &str, at| {
        let hash = cli_login::hash(code);
        transact!(world.store, "test", tx => {
            cli_logins::begin(tx, login(&hash, network), later(at + 600), later(at)).await?;
            cli_logins::waiting(tx, network).await
        })
        .unwrap()
    };
    assert_eq!([begin("a", "x", 0).await, begin("b", "x", 1).await, begin("c", "x", 600).await], [1, 2, 2]);
    assert_eq!(begin("d", "y", 600).await, 1, "each network has its own count");
}

#[tokio::test]
async fn token_is_valid_until_revoked_or_expired() {
    let world = World::new().await;
    let ana = user(&world, "ana@example.com", false).await;
    let random: Vec<u8> = (0..=255).collect();
    let token = api_key::token_from_random(&random).unwrap();
    let approved = ApprovedLogin { user_id: ana.id, is_operator: 0 };
    transact!(world.store, "test", tx => cli_logins::insert_token(tx, &token, b"code", approved, later(60), NOW).await)
        .unwrap();
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
