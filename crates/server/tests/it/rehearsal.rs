//! The rehearsal model in the real application, with the demo agent and with an agent of other
//! names, tools and languages. It sees only the request that any provider gets.

use domain::Span;
use emulator::orders;
use serde_json::{Value, json};
use testkit::{ANA, Service, TestApp};

fn example(file: &str, variable: &str, url: &str) -> Value {
    let path = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(file);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap().replace(&format!("{{{{vars.{variable}}}}}"), url))
        .unwrap()
}

async fn rehearsing() -> TestApp {
    let app = TestApp::with(false, |config| config.egress_allow = vec!["127.0.0.1/32".parse().unwrap()]).await;
    // Tests send faster than WhatsApp's limit of one message in six seconds.
    app.emulator_call(reqwest::Method::PUT, "/limits", Some(json!({"pair_rate": false}))).await;
    app
}

/// Sends a text, waits for the debounce and returns the new replies.
async fn reply_to(app: &TestApp, text: &str) -> String {
    let before = app.received_texts(ANA).await.len();
    app.contact_sends(ANA, text).await;
    app.forward(Span::from_secs(4)).await;
    app.received_texts(ANA).await[before..].join("\n")
}

async fn shop_conversation(burst: [&str; 3], human: &str, thanks: &str, bye: &str, number: &str, shipped: &str) {
    let service = orders::start("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let app = rehearsing().await;
    let agent = app.agent(example("shop-agent.json", "orders_url", &service.url())).await;
    app.activate(ANA, &agent).await;
    for text in burst {
        app.contact_sends(ANA, text).await;
        app.forward(Span::from_millis(400)).await;
    }
    app.forward(Span::from_secs(3)).await;
    let first = app.received_texts(ANA).await;
    assert_eq!(first.len(), 1, "a burst of three is answered once: {first:?}");
    assert!(first[0].contains(number), "{first:?}");
    let found = reply_to(&app, "1042").await;
    assert!(found.contains("1042") && found.contains(shipped), "{found}");
    assert_eq!(service.requests(), 1);
    assert_eq!(reply_to(&app, human).await, "");
    assert_eq!(app.execution(&agent).await["status"], "handoff");
    assert_eq!(reply_to(&app, "???").await, "", "the agent is silent in a handoff");
    let execution = app.execution(&agent).await["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/agents/{agent}/executions/{execution}/resume");
    app.post(&path, json!({"message": {"type": "payload", "content": {"note": "solved"}}})).await.data();
    app.run_until_idle().await;
    assert_eq!(app.execution(&agent).await["status"], "paused");
    assert!(!reply_to(&app, thanks).await.is_empty());
    reply_to(&app, bye).await;
    assert_eq!(app.execution(&agent).await["status"], "ended");
}

#[tokio::test]
async fn demo_conversation_works_in_english() {
    let burst = ["hi", "I'm waiting for a parcel", "where is my order?"];
    shop_conversation(burst, "can I talk to a human?", "no thanks, that's all", "bye", "order number", "shipped").await;
}

#[tokio::test]
async fn demo_conversation_works_in_spanish() {
    let burst = ["hola", "estoy esperando un paquete", "¿dónde está mi pedido?"];
    shop_conversation(
        burst,
        "¿puedo hablar con una persona?",
        "no gracias, eso es todo",
        "chau",
        "número de pedido",
        "enviado",
    )
    .await;
}

#[tokio::test]
async fn demo_conversation_works_in_portuguese() {
    let burst = ["oi", "estou esperando uma encomenda", "cadê meu pedido?"];
    shop_conversation(
        burst,
        "posso falar com uma pessoa?",
        "não, obrigada, é só isso",
        "tchau",
        "número do pedido",
        "enviado",
    )
    .await;
}

#[tokio::test]
async fn rehearsal_model_runs_an_agent_with_other_names_tools_and_language() {
    let clinic = Service::start(|request| match request.path.as_str() {
        "/citas" => json!({"id": 77, "estado": "confirmada", "fecha": request.body["fecha"], "hora": "10:30"}),
        "/cancelaciones" => json!({"numero_cita": request.body["numero_cita"], "estado": "cancelada"}),
        other => json!({"error": other}),
    })
    .await;
    let app = rehearsing().await;
    let agent = app.agent(example("clinic-agent.json", "clinic_url", &clinic.url())).await;
    app.activate(ANA, &agent).await;
    assert!(reply_to(&app, "hola, quiero una cita").await.contains("especialidad"));
    assert!(reply_to(&app, "pediatría").await.contains("fecha"));
    assert!(reply_to(&app, "el viernes").await.contains("nombre del paciente"));
    let booked = reply_to(&app, "Luisa Gómez").await;
    assert!(booked.contains("77") && booked.contains("10:30"), "{booked}");
    let requests = clinic.requests();
    assert_eq!(requests.len(), 1, "one booking");
    assert_eq!(
        requests[0].body,
        json!({"especialidad": "pediatria", "fecha": "viernes", "nombre_paciente": "Luisa Gómez"})
    );
    assert!(requests[0].idempotency_key.is_some());
    assert_eq!(reply_to(&app, "mejor quiero hablar con alguien de recepción").await, "");
    assert_eq!(app.execution(&agent).await["status"], "handoff");
}
