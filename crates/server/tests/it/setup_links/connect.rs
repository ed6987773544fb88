//! Connecting a number by its credentials.

use super::{configs, customer, link, path_of, send, send_with, status, visit};
use crate::log::Log;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{ANA, OWN_NUMBER_ID, TestApp};

#[tokio::test]
async fn customer_connects_a_number_on_which_an_agent_then_answers() {
    let (log, _guard) = Log::start();
    let app = TestApp::start().await;
    let links = customer(&app, "Clínica São José").await;
    let path = link(&app, &links, json!({})).await;
    let page = visit(&app, &path).await;
    assert!(page.html.contains("value=\"Clínica São José\""), "the customer's name is proposed: {}", page.html);

    let done = send(&app, &path).await;
    assert_eq!(done.status, 200, "{}", done.html);
    assert!(done.html.contains("The number is connected") && done.html.contains("+1 555-090-9902"), "{}", done.html);
    assert!(done.html.contains("Meta has not confirmed the webhook yet"), "{}", done.html);
    assert!(done.html.contains(&format!("{}/webhooks/whatsapp", app.app.url())), "{}", done.html);

    let config = app.get("/api/v1/whatsapp_configs").await.data()[0].clone();
    let owner = links.split('/').nth(4).unwrap();
    let fields = ["customer_id", "name", "phone_number_id", "kind"].map(|field| config[field].as_str().unwrap());
    assert_eq!(fields, [owner, "Front desk", OWN_NUMBER_ID, "production"]);
    assert!(done.html.contains(config["webhook_verify_token"].as_str().unwrap()));
    let id = config["id"].as_str().unwrap();

    let agent = app.agent(json!({"name": "Desk"})).await;
    let linked = json!({"agent_whatsapp_config": {"whatsapp_config_id": id}});
    app.post(&format!("/api/v1/agents/{agent}/agent_whatsapp_configs"), linked).await.data();
    app.model().says("Good morning.");
    let inbound = json!({"from": ANA, "text": "hello", "phone_number_id": OWN_NUMBER_ID});
    app.emulator_call(Method::POST, "/inbound", Some(inbound)).await;
    app.run_until_idle().await;
    let chat = app.chat_with(OWN_NUMBER_ID, ANA).await;
    assert!(chat.iter().any(|message| message.to_string().contains("Good morning.")), "{chat:?}");
    let health = app.get(&format!("/api/v1/whatsapp_configs/{id}/health")).await;
    assert_eq!(health.body["status"], "healthy", "{}", health.body);

    assert_eq!(status(&app, &links).await, "used");
    let audit = app.get("/api/v1/audit?q[action_eq]=setup_link.use").await;
    let entry = &audit.data()[0];
    let link = app.get(&links).await.data()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!((&entry["actor"], &entry["target"]), (&json!(format!("setup_link:{link}")), &config["id"]));

    let token = path.trim_start_matches("/setup/");
    assert_eq!(log.lines(token), [""; 0], "links are not logged");
    assert_eq!(log.lines(emulator::ACCESS_TOKEN), [""; 0], "tokens are not logged");
    assert_eq!(log.lines("setup link used").len(), 1);
}

#[tokio::test]
async fn wrong_credentials_are_explained_and_the_link_stays_active() {
    let app = TestApp::start().await;
    let links = customer(&app, "Clinic").await;
    let path = link(&app, &links, json!({})).await;
    for (field, value, words) in [
        ("name", " ", "Enter a name"),
        ("name", "a\u{0}b", "Enter a name"),
        ("phone_number_id", "+1 555", "Enter the ID"),
        ("business_account_id", "", "Enter the ID"),
        ("access_token", "two words", "Enter the whole token"),
        ("access_token", "EAAWRONG", "Meta does not accept this access token"),
        ("phone_number_id", "999", "Meta shows no number"),
        ("business_account_id", "999", "Meta does not show this business account"),
        ("phone_number_id", emulator::PHONE_NUMBER_ID, "connected already"),
    ] {
        let page = send_with(&app, &path, field, value).await;
        assert!([409, 422].contains(&page.status), "{field} {value:?}: {}", page.status);
        assert!(page.html.contains(words) && page.html.contains("<form"), "{field} {value:?}: {}", page.html);
        app.clock.forward(domain::Span::from_secs(10));
    }
    assert_eq!((configs(&app).await, status(&app, &links).await.as_str()), (0, "active"));
    // Spaces around a copied value do not matter.
    let done = send_with(&app, &path, "access_token", &format!(" {}\n", emulator::ACCESS_TOKEN)).await;
    assert_eq!((done.status, configs(&app).await), (200, 1), "{}", done.html);
}

#[tokio::test]
async fn number_of_another_project_is_refused() {
    let app = TestApp::start().await;
    let other = app.app.operator().create_project("Other").await.unwrap();
    let (_, key) = app.app.operator().create_key(&other.to_string()).await.unwrap();
    let theirs = async |path: &str, body: Value| app.call_as(Some(&key), Method::POST, path, Some(body)).await;
    let body = json!({"customer": {"name": "Theirs", "external_customer_id": "t"}});
    let owner = theirs("/api/v1/customers", body).await.id();
    let config = json!({"whatsapp_config": {"name": "Line", "phone_number_id": OWN_NUMBER_ID,
        "business_account_id": emulator::WABA_ID, "webhook_verify_token": "t", "access_token": emulator::ACCESS_TOKEN}});
    let config = theirs(&format!("/api/v1/customers/{owner}/whatsapp_configs"), config).await.id();

    let links = customer(&app, "Clinic").await;
    let path = link(&app, &links, json!({})).await;
    let page = send(&app, &path).await;
    assert_eq!(page.status, 409);
    assert!(page.html.contains("connected already") && !page.html.contains("Theirs"), "{}", page.html);
    assert_eq!((configs(&app).await, status(&app, &links).await.as_str()), (0, "active"));

    let gone = app.call_as(Some(&key), Method::DELETE, &format!("/api/v1/whatsapp_configs/{config}"), None).await;
    assert_eq!(gone.status, 204);
    assert_eq!(send(&app, &path).await.status, 200);
    assert_eq!(status(&app, &links).await, "used");
}

#[tokio::test]
async fn forms_at_once_create_one_config() {
    let app = TestApp::start().await;
    let links = customer(&app, "Clinic").await;
    let path = link(&app, &links, json!({})).await;
    // Another number each, so that only the link prevents the second config.
    let numbers = [OWN_NUMBER_ID, testkit::OTHER_NUMBER_ID, OWN_NUMBER_ID, testkit::OTHER_NUMBER_ID];
    let forms = numbers.map(|number| send_with(&app, &path, "phone_number_id", number));
    let mut statuses: Vec<u16> = futures::future::join_all(forms).await.iter().map(|page| page.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 410, 410, 410]);
    assert_eq!(configs(&app).await, 1);
    let audit = app.get("/api/v1/audit?q[action_eq]=setup_link.use").await;
    assert_eq!(audit.body["meta"]["total_count"], 1);
}

#[tokio::test]
async fn success_url_gets_the_documented_parameters() {
    let app = TestApp::start().await;
    let links = customer(&app, "Clinic").await;
    let settings = json!({"success_redirect_url": "https://app.clinic.example/ok?tenant=7#done"});
    let made = app.post(&links, json!({"setup_link": settings})).await;
    let done = send(&app, &path_of(made.data())).await;
    let config = app.get("/api/v1/whatsapp_configs").await.data()[0]["id"].as_str().unwrap().to_owned();
    let expected = format!(
        "https://app.clinic.example/ok?tenant=7&setup_link_id={}&customer_id={}&whatsapp_config_id={config}\
         &phone_number_id={OWN_NUMBER_ID}&status=degraded#done",
        made.id(),
        links.split('/').nth(4).unwrap()
    );
    assert_eq!((done.status, done.headers["location"].as_str()), (303, expected.as_str()));
    assert_eq!(done.headers["referrer-policy"], "same-origin", "the link goes to no other site");
}

#[tokio::test]
async fn number_is_connected_while_meta_does_not_answer_and_the_page_says_so() {
    let app = TestApp::with(true, |config| config.graph_base_url = "http://127.0.0.1:9".into()).await;
    let links = customer(&app, "Clinic").await;
    let path = link(&app, &links, json!({})).await;
    let done = send(&app, &path).await;
    assert_eq!(done.status, 200, "{}", done.html);
    assert!(done.html.contains("Meta gave no answer") && done.html.contains("not working completely"), "{}", done.html);
    assert_eq!((configs(&app).await, status(&app, &links).await.as_str()), (1, "used"));
}
