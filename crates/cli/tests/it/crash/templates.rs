//! Crash before or after Meta accepts a template and before the own commit: after a restart the
//! template is found at Meta, and a second submission creates no second template.

use std::os::unix::process::ExitStatusExt as _;

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    server::{command, listening},
    world::{World, until},
};
use crate::program::{Running, json as json_of};

/// Starts a server without a sandbox: the number belongs to the project.
fn server(world: &World, settings: &[(&str, &str)]) -> Running {
    let mut command = command(world, world.port);
    for name in ["CHASQUI_SANDBOX_PHONE_NUMBER_ID", "CHASQUI_SANDBOX_PHONE_NUMBER", "CHASQUI_SANDBOX_ACCESS_TOKEN"] {
        command.env_remove(name);
    }
    listening(command.envs(settings.iter().copied()))
}

/// Submits a template to a server that is killed at this point. Returns key and template id.
fn submit_and_crash(world: &World, point: &str) -> (String, String) {
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
    assert!(
        world.try_post(&key, &format!("/whatsapp_templates/{id}/submit")).is_none(),
        "the server is killed before it answers"
    );
    until("the kill", || server.end().is_some_and(|end| end.signal() == Some(9)));
    (key, id)
}

fn templates_at_meta(world: &World) -> usize {
    let all = world.control(Method::GET, "/templates", None);
    all["templates"].as_array().unwrap().iter().filter(|template| template["name"] == "visit").count()
}

fn status(world: &World, key: &str, id: &str) -> Value {
    world.api(key, Method::GET, &format!("/whatsapp_templates/{id}"), None)["data"]["status"].clone()
}

#[test]
fn resubmission_after_a_crash_creates_one_template() {
    for (point, had) in [("template.ask", 0), ("template.answered", 1)] {
        let world = World::new();
        let (key, id) = submit_and_crash(&world, point);
        assert_eq!(templates_at_meta(&world), had, "{point}");
        let _server = server(&world, &[]);
        assert_eq!(status(&world, &key, &id), "draft", "{point}: the submission was not stored");
        let again = world.api(&key, Method::POST, &format!("/whatsapp_templates/{id}/submit"), Some(json!({})));
        assert_eq!((&again["data"]["status"], templates_at_meta(&world)), (&json!("submitted"), 1), "{point}: {again}");
    }
}

#[test]
fn accepted_submission_is_found_after_a_crash() {
    let world = World::new();
    let (key, id) = submit_and_crash(&world, "template.answered");
    // The next server's clock is a minute ahead, so its check of the draft is due.
    let _server = server(&world, &[("CHASQUI_CLOCK_OFF_BY", "61")]);
    until("the check with Meta", || status(&world, &key, &id) == "submitted");
    assert_eq!(templates_at_meta(&world), 1);
}
