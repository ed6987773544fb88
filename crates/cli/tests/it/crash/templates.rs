//! The server dies between Meta's yes to a template and its own commit, or right before it asks: the next life finds what
//! Meta has, and a second submission makes no second template.

use std::os::unix::process::ExitStatusExt as _;

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    server::{command, listening},
    world::{World, until},
};
use crate::program::{Running, json as json_of};

/// A server without a sandbox: the number is the project's own here.
fn server(world: &World, settings: &[(&str, &str)]) -> Running {
    let mut command = command(world, world.port);
    for name in ["CHASQUI_SANDBOX_PHONE_NUMBER_ID", "CHASQUI_SANDBOX_PHONE_NUMBER", "CHASQUI_SANDBOX_ACCESS_TOKEN"] {
        command.env_remove(name);
    }
    listening(command.envs(settings.iter().copied()))
}

/// A template that is submitted to a server that dies at this point: key and id.
fn submitted_to_death(world: &World, point: &str) -> (String, String) {
    let mut server = server(world, &[("CHASQUI_FAILPOINT", point)]);
    let project = json_of(&world.home.run(&["projects", "create", "Crash", "--json"]));
    let key = project["api_key"].as_str().unwrap().to_owned();
    let api = |path: &str, body: Value| world.api(&key, Method::POST, path, Some(body))["data"]["id"].clone();
    let customer = api("/customers", json!({"customer": {"name": "Clinic", "external_customer_id": "c"}}));
    let config = json!({"name": "Line", "phone_number_id": emulator::PHONE_NUMBER_ID, "business_account_id": emulator::WABA_ID,
        "webhook_verify_token": "x", "access_token": emulator::ACCESS_TOKEN});
    let configs = format!("/customers/{}/whatsapp_configs", customer.as_str().unwrap());
    api(&configs, json!({"whatsapp_config": config}));
    let template = json!({"name": "visit", "language_code": "pt_BR", "category": "UTILITY", "components": [{"type": "BODY", "text": "Oi."}]});
    let id = api("/whatsapp_templates", json!({"template": template})).as_str().unwrap().to_owned();
    world.control(Method::PUT, "/templates/approval", Some(json!("manual")));
    assert!(world.try_post(&key, &format!("/whatsapp_templates/{id}/submit")).is_none(), "it died before it answered");
    until("the death", || server.end().is_some_and(|end| end.signal() == Some(9)));
    (key, id)
}

fn of_meta(world: &World) -> usize {
    let all = world.control(Method::GET, "/templates", None);
    all["templates"].as_array().unwrap().iter().filter(|template| template["name"] == "visit").count()
}

fn status(world: &World, key: &str, id: &str) -> Value {
    world.api(key, Method::GET, &format!("/whatsapp_templates/{id}"), None)["data"]["status"].clone()
}

#[test]
fn a_submission_whose_server_died_before_or_after_meta_s_yes_is_one() {
    for (point, had) in [("template.ask", 0), ("template.answered", 1)] {
        let world = World::new();
        let (key, id) = submitted_to_death(&world, point);
        assert_eq!(of_meta(&world), had, "{point}");
        let _server = server(&world, &[]);
        assert_eq!(status(&world, &key, &id), "draft", "{point}: nobody has heard of it");
        let again = world.api(&key, Method::POST, &format!("/whatsapp_templates/{id}/submit"), Some(json!({})));
        assert_eq!((&again["data"]["status"], of_meta(&world)), (&json!("submitted"), 1), "{point}: {again}");
    }
}

#[test]
fn a_submission_whose_server_died_after_meta_s_yes_is_found_without_anybody_s_doing() {
    let world = World::new();
    let (key, id) = submitted_to_death(&world, "template.answered");
    // A minute later.
    let _server = server(&world, &[("CHASQUI_CLOCK_OFF_BY", "61")]);
    until("the look at Meta", || status(&world, &key, &id) == "submitted");
    assert_eq!(of_meta(&world), 1);
}
