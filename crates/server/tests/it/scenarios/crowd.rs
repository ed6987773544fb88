//! S35: many projects and contacts at once, without mixing their data.

use super::file::Scenario;
use emulator::{PhoneNumber, World};
use futures::{StreamExt as _, future::join_all, stream};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{ScriptedModel, TestApp};

/// Concurrent workers.
const WORKERS: usize = 8;

struct Tenant {
    key: String,
    agent: String,
    number: String,
    token: String,
}

pub async fn play(scenario: &Scenario) {
    let model = ScriptedModel::with_responder(names_the_person).await;
    let numbers =
        (0..scenario.projects).map(|n| PhoneNumber { id: format!("7{n:014}"), display: format!("1555100{n:04}") });
    let world = World { numbers: numbers.collect(), ..World::default() };
    let base_url = model.base_url();
    let app = TestApp::in_world(world, false, |config| {
        config.sandbox = None;
        config.llm.base_url = Some(base_url);
    })
    .await;
    let mut tenants = Vec::new();
    for n in 0..scenario.projects {
        tenants.push(tenant(&app, n, &scenario.graph()).await);
    }
    let people: Vec<(String, &Tenant)> =
        (0..scenario.people).map(|n| (format!("55119800{n:05}"), &tenants[n % tenants.len()])).collect();
    for (phone, _) in &people {
        app.emulator_call(
            Method::PUT,
            &format!("/users/p{phone}"),
            Some(json!({"wa_id": phone, "name": format!("P{phone}")})),
        )
        .await;
    }
    let sends = people.iter().map(|(phone, tenant)| {
        let body = json!({"from": format!("+{phone}"), "text": "hi", "phone_number_id": tenant.number});
        app.emulator_call(Method::POST, "/inbound", Some(body))
    });
    stream::iter(sends).buffer_unordered(16).collect::<Vec<Value>>().await;
    join_all((0..WORKERS).map(|_| app.work_until_idle())).await;
    app.run_until_idle().await;
    for (phone, tenant) in &people {
        let chat = app.emulator_call(Method::GET, &format!("/chats/{}/{phone}", tenant.number), None).await;
        let received = chat["messages"].as_array().unwrap().iter().filter(|message| message["direction"] == "out");
        let received: Vec<&Value> = received.map(|message| &message["content"]["body"]).collect();
        assert_eq!(received, [&json!(format!("You are +{phone}"))], "{phone} on {}", tenant.number);
    }
    // Each request to WhatsApp carries the number's own token, and there is one for each contact.
    let sends = app.emulator_call(Method::GET, "/requests?path=/messages", None).await;
    let sends = sends["requests"].as_array().unwrap();
    assert_eq!(sends.len(), scenario.people);
    for send in sends {
        let tenant = tenants.iter().find(|tenant| send["path"].as_str().unwrap().contains(&tenant.number)).unwrap();
        let shown = format!("{}…", &tenant.token[..4]);
        assert_eq!((send["token"].as_str(), send["status"].as_u64()), (Some(shown.as_str()), Some(200)), "{send}");
        let own = people.iter().filter(|(_, of)| of.number == tenant.number).map(|(phone, _)| phone.as_str());
        assert!(own.into_iter().any(|phone| send["body"]["to"] == phone), "{send} goes to another project's person");
    }
    // Each key sees only its own project.
    for tenant in &tenants {
        let path = format!("/api/v1/agents/{}/executions?per_page=100", tenant.agent);
        let list = app.call_as(Some(&tenant.key), Method::GET, &path, None).await;
        let list = list.data().as_array().unwrap().clone();
        assert_eq!(list.len(), scenario.people / scenario.projects);
        assert!(list.iter().all(|execution| execution["status"] == "paused"), "{list:?}");
    }
}

/// A project with its own number, token and agent.
async fn tenant(app: &TestApp, n: usize, graph: &Value) -> Tenant {
    let project = app.app.operator().create_project_with(&format!("Project {n}"), &Default::default()).await.unwrap();
    let (_, key) = app.app.operator().create_key(&project.to_string()).await.unwrap();
    let post = async |path: &str, body: Value| app.call_as(Some(&key), Method::POST, path, Some(body)).await.id();
    // The emulator's log shows the first four characters.
    let (number, token) = (format!("7{n:014}"), format!("K{n:02}-token-of-project-{n}"));
    app.emulator_call(Method::POST, "/tokens", Some(json!({"token": token}))).await;
    let customer =
        post("/api/v1/customers", json!({"customer": {"name": "C", "external_customer_id": n.to_string()}})).await;
    let config = json!({"name": "Line", "phone_number_id": number, "business_account_id": emulator::WABA_ID,
        "webhook_verify_token": "x", "access_token": token});
    let config =
        post(&format!("/api/v1/customers/{customer}/whatsapp_configs"), json!({"whatsapp_config": config})).await;
    let agent = json!({"name": format!("Agent {n}"), "agent_version": 1, "graph": graph});
    let agent = post("/api/v1/agents", json!({"agent": agent})).await;
    let link = json!({"agent_whatsapp_config": {"whatsapp_config_id": config}});
    post(&format!("/api/v1/agents/{agent}/agent_whatsapp_configs"), link).await;
    Tenant { key, agent, number, token }
}

/// Names the phone number of the system prompt.
fn names_the_person(request: &Value) -> Value {
    let system = request["messages"][0]["content"].as_str().unwrap_or_default();
    let phone = system.lines().find_map(|line| line.strip_prefix("Phone number: ")).unwrap_or("unknown");
    let arguments = json!({"message": format!("You are {phone}")}).to_string();
    json!({"role": "assistant", "content": null, "tool_calls":
        [{"id": "c", "type": "function", "function": {"name": "AskUserForInput", "arguments": arguments}}]})
}
