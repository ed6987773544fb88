//! Calls that show every field of the contract's answers with a value: each operation once, as in
//! the walk, and more where needed.

use crate::walk::{
    operation::{Operation, operations},
    world::World,
};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{ANA, Answer, RecordedCall, TestApp};

pub async fn answers() -> Vec<RecordedCall> {
    // Boxed: together the futures are too large for the stack of a test thread.
    let mut all = Box::pin(every_operation()).await;
    all.extend(Box::pin(agents()).await);
    all.extend(Box::pin(runs()).await);
    all.extend(Box::pin(number()).await);
    all.extend(Box::pin(unreachable_meta()).await);
    all.extend(Box::pin(people()).await);
    all.extend(Box::pin(taken_over()).await);
    all.extend(Box::pin(sign_in()).await);
    all.extend(Box::pin(templates()).await);
    all.extend(Box::pin(messages()).await);
    all.extend(Box::pin(setup_links()).await);
    all
}

/// Reads come before deletions and status changes.
async fn every_operation() -> Vec<RecordedCall> {
    let world = Box::pin(World::new()).await;
    let mut all = operations();
    all.sort_by_key(Operation::turn);
    for operation in all {
        let answer = operation.call(&world.app, &world.path(&operation), world.body(&operation)).await;
        assert!(answer.status < 300, "{}: {}", operation.name, answer.body);
    }
    world.app.take_answers()
}

/// A graph with every node type and all settings of each.
fn rich_graph() -> Value {
    let webhook = json!({"name": "orders", "description": "Tells of orders", "url": "https://shop.example/{{order}}", "http_method": "POST",
        "headers": {"X-Shop": "1"}, "body": {"order": "#{order}"}, "jmespath_query": "data",
        "body_schema": {"type": "object", "properties": {"order": {"type": "string"}}}, "mock_response": {"ok": true},
        "mock_response_enabled": false});
    let mut node_webhook = webhook.clone();
    let text = |value: &Value| Value::String(value.to_string());
    for field in ["headers", "body", "mock_response"] {
        node_webhook[field] = text(&webhook[field]);
    }
    let template = json!({"name": "update", "template_name": "order_update", "description": "Tells that it is on its way",
        "language": "pt_BR", "whatsapp_template_id": "0197a1b2-0000-7000-8000-00000000000a",
        "whatsapp_config_id": "0197a1b2-0000-7000-8000-00000000000b", "phone_number": "+5511999990001", "wait_for_response": true,
        "template_parameters": {"1": "#{name}", "2": "#{order}"}});
    let nodeable = |id: u32| format!("0197a1b2-0000-7000-8000-{id:012}");
    let mut node_template = template.clone();
    node_template["nodeable_id"] = json!(nodeable(3));
    node_template["whatsapp_node_id"] = json!(nodeable(4));
    node_webhook["nodeable_id"] = json!(nodeable(2));
    json!({
        "nodes": [
            {"name": "__start__"},
            {"name": "talk", "type": "SubagentNode", "prompt": "Help.", "description": "Where talk begins", "config": {"x": 1}, "tool_ids": ["t1"],
                "nodeable_id": nodeable(1), "subagent": {"webhooks": [webhook], "whatsapp_templates": [template], "knowledge_bases": [{"name": "faq",
                    "description": "Returns", "knowledge_base_text": "Within 30 days.", "knowledge_base_file": "faq.md"}],
                    "mcp_servers": [{"name": "stock", "description": "What is there", "url": "https://stock.example/mcp",
                        "transport_kind": "streamable_http", "jmespath_queries": [{"tool_name": "count", "jmespath_query": "left"}]}]}},
            {"name": "facts", "type": "KnowledgeBaseNode", "knowledge_base": {"key": "hours", "knowledge_base_text": "Open at nine.",
                "knowledge_base_file": "hours.md", "nodeable_id": nodeable(7)}},
            {"name": "order", "type": "WebhookNode", "webhook": node_webhook},
            {"name": "tell", "type": "WhatsappTemplateNode", "whatsapp_template": node_template},
            {"name": "person", "type": "HandoffNode", "global": true, "global_condition": "the person is angry", "handoff": {"nodeable_id": nodeable(5)}},
            {"name": "closing", "type": "WarmEndNode", "warm_end": {"timeout_minutes": 5, "nodeable_id": nodeable(6)}},
            {"name": "__end__"}],
        "edges": [
            {"id": "e1", "from": "__start__", "to": "talk"},
            {"from": "talk", "to": "order", "label": "an order is meant", "condition": "an order is meant", "conditions": {"x": 1}},
            {"from": "talk", "to": "facts", "label": "facts are wanted"}, {"from": "facts", "to": "talk", "label": "told"},
            {"from": "order", "to": "tell", "label": "it is on its way"}, {"from": "order", "to": "talk", "label": "it is not"},
            {"from": "tell", "to": "closing", "label": "they know"}, {"from": "closing", "to": "__end__", "label": "goodbye"}],
        "tools": [{"id": "t1", "name": "stock", "type": "http", "description": "Looks up stock", "url": "https://shop.example/stock",
            "method": "GET", "query_params": {"q": "x"}, "headers": {"X-Shop": "1"}, "body": {"x": 1}}],
        "metadata": {"made_by": "hand"}})
}

async fn agents() -> Vec<RecordedCall> {
    let app = TestApp::start().await;
    let agent =
        json!({"name": "Rich", "description": "All there is", "system_prompt": "Be kind.", "graph": rich_graph()});
    let agent = app.agent(agent).await;
    let path = format!("/api/v1/agents/{agent}");
    for path in
        [path.clone(), format!("{path}/graph?include=description"), format!("{path}/graph"), "/api/v1/agents".into()]
    {
        app.get(&path).await.data();
    }
    app.patch(&path, json!({"agent": {"name": "Richer"}})).await.data();
    let snapshot = app.post(&format!("{path}/agent_snapshots"), json!({"graph": null})).await.id();
    app.get(&format!("/api/v1/agent_snapshots/{snapshot}")).await.data();
    app.activate(ANA, &agent).await;
    let session = app.get("/api/v1/sandbox_sessions").await.data()[0]["id"].clone();
    app.get(&format!("/api/v1/sandbox_sessions/{}", session.as_str().unwrap())).await.data();

    let chats = format!("/api/v1/agent_snapshots/{snapshot}/test_chats");
    app.model().says("Hello, tester.");
    let chat = app.post(&chats, json!({"message": "hi"})).await.id();
    app.run_until_idle().await;
    app.get(&format!("/api/v1/test_chats/{chat}")).await.data();
    app.model().says("And?");
    let go_on = json!({"message": {"type": "payload", "content": {"order_ready": true}}});
    app.post(&format!("/api/v1/test_chats/{chat}/resume"), go_on).await.data();
    app.run_until_idle().await;
    app.model().fails(401);
    let failed = app.post(&format!("{path}/test_chats"), json!({"message": "hi"})).await.id();
    app.run_until_idle().await;
    app.get(&format!("/api/v1/test_chats/{failed}")).await.data();
    app.take_answers()
}

/// Ended executions, and a suite with a played and judged case.
async fn runs() -> Vec<RecordedCall> {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    app.model().fails(401);
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    let executions = format!("/api/v1/agents/{agent}/executions");
    let execution = app.get(&executions).await.data()[0]["id"].as_str().unwrap().to_owned();
    app.get(&format!("{executions}/{execution}")).await.data();
    let links = format!("/api/v1/whatsapp_conversations/{}/agent_executions", app.conversation().await);
    let link = app.get(&links).await.data()[0]["id"].as_str().unwrap().to_owned();
    app.get(&format!("{links}/{link}")).await.data();
    app.model().says("Here I am.");
    app.post(&format!("{executions}/{execution}/resume"), json!({})).await.data();
    app.run_until_idle().await;
    let end = json!({"agent_execution": {"status": "ended"}});
    app.call(Method::PUT, &format!("{executions}/{execution}"), Some(end)).await.data();

    let case = json!({"name": "Greets", "description": "Politely", "script": "Say hello.", "rubric": "It greets."});
    let suite = json!({"name": "Smoke", "description": "The least", "agent_id": agent, "test_cases": [case]});
    let suite = app.post("/api/v1/test_suites", json!({ "test_suite": suite })).await.id();
    let case = json!({ "test_case": case });
    let case = app.post(&format!("/api/v1/test_suites/{suite}/test_cases"), case).await.id();
    let user = |text: &str| app.model().calls(&[("send_user_message", json!({"message": text}))]);
    user("hello");
    app.model().says("Hi!");
    user("CONVERSATION_ENDED");
    app.model().calls(&[("grade_conversation", json!({"score": 1.0, "feedback": "- [pass] it did"}))]);
    let run = json!({"agent_test_run": {}, "run_now": true});
    let run = app.post(&format!("/api/v1/test_cases/{case}/test_runs"), run).await.id();
    app.run_until_idle().await;
    app.get(&format!("/api/v1/test_runs/{run}")).await.data();
    app.patch(&format!("/api/v1/test_suites/{suite}"), json!({"test_suite": {"name": "Smoke 2"}})).await.data();
    app.patch(&format!("/api/v1/test_cases/{case}"), json!({"test_case": {"name": "Greets kindly"}})).await.data();
    for path in [
        format!("test_suites/{suite}"),
        format!("agents/{agent}/test_suites"),
        format!("test_cases/{case}"),
        format!("test_suites/{suite}/test_cases"),
    ] {
        app.get(&format!("/api/v1/{path}")).await.data();
    }
    app.take_answers()
}

/// A template sync during an outage of Meta.
async fn templates() -> Vec<RecordedCall> {
    let app = TestApp::start().await;
    app.own_number().await;
    let rule = json!({"when": {"surface": "templates"}, "trigger": {"next": 1}, "do": {"error": "server_500"}});
    app.emulator_call(Method::POST, "/faults", Some(rule)).await;
    let sync = "/api/v1/whatsapp_templates/sync";
    app.post(sync, json!({})).await;
    app.run_until_idle().await;
    app.post(sync, json!({})).await;
    app.get("/api/v1/whatsapp_templates/sync_status").await;
    app.take_answers()
}

/// A number of the project that Meta knows.
async fn number() -> Vec<RecordedCall> {
    let app = TestApp::with(true, |config| config.sandbox = None).await;
    let customer = json!({"customer": {"name": "Clinic", "external_customer_id": "c"}});
    let customer = app.post("/api/v1/customers", customer).await.id();
    let configs = format!("/api/v1/customers/{customer}/whatsapp_configs");
    let config = json!({"whatsapp_config": {"name": "Line", "phone_number_id": emulator::PHONE_NUMBER_ID,
        "business_account_id": emulator::WABA_ID, "webhook_verify_token": "check-me", "access_token": emulator::ACCESS_TOKEN,
        "webhook_destination_url": "https://hooks.clinic.example/wa"}});
    let config = app.post(&configs, config).await.id();
    let handshake = "/webhooks/whatsapp?hub.mode=subscribe&hub.verify_token=check-me&hub.challenge=42";
    assert_eq!(app.call_as(None, Method::GET, handshake, None).await.status, 200);
    let second = json!({"whatsapp_config": {"name": "Second line", "phone_number_id": "100000000000777",
        "business_account_id": emulator::WABA_ID, "webhook_verify_token": "check-me"}});
    app.post(&configs, second).await.data();
    let path = format!("/api/v1/whatsapp_configs/{config}");
    assert_eq!(app.get(&format!("{path}/health")).await.status, 200);
    let agent = app.agent(json!({"name": "Plain"})).await;
    let link = json!({"agent_whatsapp_config": {"whatsapp_config_id": config}});
    let links = format!("/api/v1/agents/{agent}/agent_whatsapp_configs");
    let link = app.post(&links, link).await.id();
    app.call(Method::PUT, &format!("{links}/{link}"), Some(json!({"agent_whatsapp_config": {"is_primary": true}})))
        .await
        .data();
    app.model().says("Hello.");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    let conversation = format!("/api/v1/whatsapp_conversations/{}", app.conversation().await);
    for path in [&path, &configs, &conversation, &links, &format!("{links}/{link}")] {
        app.get(path).await.data();
    }
    app.get("/api/v1/whatsapp_configs").await.data();
    app.patch(&path, json!({"whatsapp_config": {"name": "Night line"}})).await.data();
    app.patch(&conversation, json!({"whatsapp_conversation": {"status": "active"}})).await.data();
    app.take_answers()
}

async fn unreachable_meta() -> Vec<RecordedCall> {
    let app = TestApp::with(false, |config| config.graph_base_url = "http://127.0.0.1:9".into()).await;
    let customer = json!({"customer": {"name": "Clinic", "external_customer_id": "c"}});
    let customer = app.post("/api/v1/customers", customer).await.id();
    let config = json!({"whatsapp_config": {"name": "Line", "phone_number_id": "1", "business_account_id": "2",
        "webhook_verify_token": "t", "access_token": "EAAB"}});
    let config = app.post(&format!("/api/v1/customers/{customer}/whatsapp_configs"), config).await.id();
    app.get(&format!("/api/v1/whatsapp_configs/{config}/health")).await;
    app.patch(&format!("/api/v1/customers/{customer}"), json!({"customer": {"name": "Clinic 2"}})).await.data();
    app.take_answers()
}

/// A customer's contact with a note that has an author.
async fn people() -> Vec<RecordedCall> {
    let app = TestApp::rehearsing().await;
    let customer = json!({"customer": {"name": "Clinic", "external_customer_id": "c"}});
    let customer = app.post("/api/v1/customers", customer).await.id();
    let contact = json!({"contact": {"wa_id": "5511987650001", "profile_name": "Marta", "customer_id": customer}});
    let contact = app.post("/api/v1/whatsapp_contacts", contact).await.id();
    let path = format!("/api/v1/whatsapp_contacts/{contact}");
    let note = json!({"note": {"name": "Allergy", "content": "No penicillin"}});
    let note = format!("{path}/notes/{}", app.post(&format!("{path}/notes"), note).await.id());
    app.patch(&path, json!({"contact": {"profile_name": "Marta L."}})).await.data();
    app.patch(&note, json!({"note": {"content": "None"}})).await.data();
    for path in [path.clone(), note, format!("{path}/notes"), "/api/v1/whatsapp_contacts".into()] {
        app.get(&path).await.data();
    }
    app.take_answers()
}

/// A conversation that a signed-in user assigns to themselves with their own key.
async fn taken_over() -> Vec<RecordedCall> {
    let app = TestApp::rehearsing().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    let (key, person) = app.key_of("bo@clinic.example").await;
    let path = format!("/api/v1/whatsapp_conversations/{}/conversation_assignments", app.conversation().await);
    let call = async |method: Method, path: &str, body: Option<Value>| -> Answer {
        app.call_as(Some(&key), method, path, body).await
    };
    let assignment = json!({"conversation_assignment": {"user_id": person, "notes": "Speaks Portuguese"}});
    let assignment = call(Method::POST, &path, Some(assignment)).await.id();
    call(Method::GET, &path, None).await.data();
    let release = json!({"conversation_assignment": {"active": false}});
    call(Method::PATCH, &format!("{path}/{assignment}"), Some(release)).await.data();
    app.take_answers()
}

/// Messages of every type, inbound and outbound.
async fn messages() -> Vec<RecordedCall> {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    let conversation = app.get("/api/v1/whatsapp_conversations").await.data()[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/whatsapp_conversations/{conversation}/whatsapp_messages");
    let welcome = app.messages().await.pop().unwrap()["id"].clone();
    let link = "https://shop.example/menu.pdf";
    let card = json!({"name": {"formatted_name": "Bo Li", "first_name": "Bo", "last_name": "Li"},
        "phones": [{"phone": "+5511987650002", "type": "WORK"}], "emails": [{"email": "bo@clinic.example", "type": "WORK"}]});
    for message in [
        json!({"message_type": "document", "media_url": link, "filename": "menu.pdf", "caption": "The menu"}),
        json!({"message_type": "image", "media_id": "700000000000001"}),
        json!({"message_type": "location", "latitude": 1.5, "longitude": -2.5, "location_name": "Shop", "location_address": "Main St"}),
        json!({"message_type": "contacts", "contacts": [card]}),
        json!({"message_type": "reaction", "reaction_emoji": "x", "reacted_to_message_id": welcome}),
        json!({"message_type": "template", "template_name": "t", "template_params": ["a"], "header_type": "document",
            "header_params": link, "header_filename": "menu.pdf"}),
        json!({"message_type": "interactive", "body_text": "Shall we?", "header_text": "Dentist", "footer_text": "Clinic",
            "buttons": [{"id": "yes", "title": "Yes"}]}),
        json!({"message_type": "interactive", "body_text": "When?", "list_button_text": "Slots",
            "sections": [{"title": "Morning", "rows": [{"id": "m9", "title": "09:00", "description": "30 minutes"}]}]}),
    ] {
        app.post(&path, json!({ "message": message })).await.data();
    }
    let form = "--b\r\nContent-Disposition: form-data; name=\"message[message_type]\"\r\n\r\ndocument\r\n--b\r\nContent-Disposition: \
        form-data; name=\"message[media_file]\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n";
    let kind = ("content-type", "multipart/form-data; boundary=b");
    app.call_raw(&[kind], Method::POST, &path, Some(form.into())).await.data();
    let alone = json!({"message": {"phone_number": ANA, "message_type": "image", "media_url": link}});
    app.post("/api/v1/whatsapp_messages", alone).await.data();
    let file = json!({"base64": "/9j/4A==", "mime_type": "image/jpeg"});
    let file = app.emulator_call(Method::POST, "/inbound/media", Some(file)).await["media_id"].clone();
    let image = json!({"from": ANA, "type": "image", "image": {"id": file}});
    app.emulator_call(Method::POST, "/inbound", Some(image)).await;
    app.model().says("A picture!");
    app.run_until_idle().await;
    let picture = app.messages().await.into_iter().rfind(|one| one["direction"] == "inbound").unwrap();
    let path_of = format!("/api/v1/whatsapp_messages/{}/mark_as_read", picture["id"].as_str().unwrap());
    app.call(Method::PATCH, &path_of, None).await.data();
    let tap = json!({"from": ANA, "type": "button", "button": {"payload": "yes", "text": "Yes"}, "force": true});
    app.emulator_call(Method::POST, "/inbound", Some(tap)).await;
    app.get(&format!("{path}?per_page=100")).await.data();
    app.take_answers()
}

/// The sign-in of the published command lines.
async fn sign_in() -> Vec<RecordedCall> {
    let app = TestApp::rehearsing().await;
    let post =
        async |path: &str, body: Value| app.call_as(None, Method::POST, &format!("/api/cli/{path}"), Some(body)).await;
    let code = post("auth/request", json!({})).await.body["auth_code"].clone();
    app.app
        .operator()
        .approve_login(code.as_str().unwrap(), "dev@example.test", server::operator::logins::Rights::Operator)
        .await
        .unwrap();
    let token = post("auth/exchange", json!({"auth_code": code})).await.body["token"].as_str().unwrap().to_owned();
    let with_token = async |method: Method, path: &str| -> Answer {
        app.call_raw(&[("x-cli-token", token.as_str())], method, &format!("/api/cli/{path}"), None).await
    };
    let project = app.project;
    for (method, path) in [
        (Method::GET, "auth/verify".to_owned()),
        (Method::GET, "projects".into()),
        (Method::GET, "version".into()),
        (Method::GET, format!("projects/{project}")),
        (Method::POST, format!("projects/{project}/generate_api_key")),
        (Method::POST, "auth/revoke".into()),
    ] {
        let answer = with_token(method, &path).await;
        assert!(answer.status < 300, "{path}: {} {}", answer.status, answer.body);
    }
    app.take_answers()
}

/// A setup link with all settings.
async fn setup_links() -> Vec<RecordedCall> {
    let app = TestApp::start().await;
    let customer = json!({"customer": {"name": "Clinic", "external_customer_id": "c"}});
    let links = format!("/api/v1/customers/{}/setup_links", app.post("/api/v1/customers", customer).await.id());
    let theme: serde_json::Map<String, Value> = [
        "primary_color",
        "primary_foreground_color",
        "background_color",
        "text_color",
        "muted_text_color",
        "card_color",
        "muted_color",
        "border_color",
        "secondary_color",
        "secondary_foreground_color",
        "destructive_color",
        "destructive_foreground_color",
    ]
    .into_iter()
    .map(|name| (name.to_owned(), json!("#224466")))
    .collect();
    let settings = json!({"setup_link": {"success_redirect_url": "https://app.clinic.example/ok", "theme_config": theme,
        "failure_redirect_url": "https://app.clinic.example/no", "phone_number_area_code": "415"}});
    let link = app.post(&links, settings).await.id();
    app.get(&links).await.data();
    app.patch(&format!("{links}/{link}"), json!({"setup_link": {"status": "active"}})).await.data();
    app.take_answers()
}
