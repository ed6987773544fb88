//! Crash while a project is deleted: the deletion continues, and no row is left.

use reqwest::Method;
use serde_json::json;
use testkit::database;

use super::{
    cases::{Case, Kill},
    model::BOOK,
    scenario::{PATIENCE, wait, wait_for_kills},
    server::Server,
    world::World,
};

#[test]
fn killed_deletion_continues_and_leaves_no_row() {
    // In the middle of a transaction, and between two. A third death would park the job.
    let points = vec!["deletion.commit:3", "deletion.committed:4"];
    let case = Case { kill: Kill::At(points.clone()), ..Case::at("") };
    let world = World::new();
    let mut server = Server::start(&world, &case);
    let access = world.set_up(&case);
    world.contact_sends(&access.code);
    wait(&mut server, "the welcome", PATIENCE, || world.received_texts().len() == 1);
    world.contact_sends(BOOK);
    wait(&mut server, "the answer", PATIENCE, || world.received_texts().len() == 2);
    let projects = world.api(&access.key, Method::GET, "/projects", None);
    let id = projects["data"][0]["id"].as_str().unwrap();
    let project = id.parse().unwrap();
    let rows = || world.block_on(database::rows_of(&world.home.database(), project));
    assert!(rows().len() > 12, "{:?}", rows());
    let name = json!({"project": {"name": "Crash"}});
    world.api(&access.key, Method::DELETE, &format!("/projects/{id}"), Some(name));
    wait_for_kills(&mut server);
    assert_eq!(server.reached, ["deletion.commit", "deletion.committed"]);
    wait(&mut server, "the deletion", PATIENCE, || rows().is_empty());
    let known: Vec<&str> = runtime::failpoint::ALL.into_iter().filter(|point| point.starts_with("deletion.")).collect();
    assert_eq!(known.len(), points.len());
}
