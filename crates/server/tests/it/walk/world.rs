//! Fixtures for every operation: what must exist before a call, and a sample body for it. A new
//! resource adds its lines here and in no other test.

use super::operation::Operation;
use domain::ids::ProjectId;
use serde_json::{Value, json};
use testkit::{ANA, OTHER_NUMBER_ID, OWN_NUMBER_ID, TestApp};

pub struct World {
    pub app: TestApp,
    /// API key of another project.
    pub foreign_key: String,
    /// Audit rows after setup.
    pub writes_before: i64,
    /// Audit rows of the other project after setup.
    pub foreign_writes_before: i64,
    stranger: ProjectId,
    /// Fixtures of the other project, if requested.
    pub foreign: Option<Resources>,
    resources: Resources,
}

/// One row of each resource in a project.
pub struct Resources {
    agent: String,
    execution: String,
    conversation: String,
    link: String,
    assignment: String,
    member: String,
    api_key: String,
    invitation: String,
    message: String,
    sandbox_session: String,
    snapshot: String,
    chat: String,
    checkpoint: String,
    suite: String,
    case: String,
    run: String,
    project: String,
    customer: String,
    whatsapp_config: String,
    free_config: String,
    setup_link: String,
    agent_link: String,
    contact: String,
    note: String,
    /// Of `own_config`.
    number_webhook: String,
    /// Of the project.
    webhook_endpoint: String,
    webhook_delivery: String,
    /// Without a key, so that nothing is sent to it.
    model_provider: String,
    /// Templates: the config with a token, then drafts for each operation, and one to send.
    own_config: String,
    template: String,
    unsubmitted: String,
    edited: String,
    sent: String,
}

impl World {
    /// A project with one of each resource, and an empty one.
    pub async fn new() -> Self {
        Self::with(false).await
    }

    /// Two projects with one of each resource.
    pub async fn with_full_stranger() -> Self {
        Self::with(true).await
    }

    /// The other project.
    pub fn stranger(&self) -> ProjectId {
        self.stranger
    }

    async fn with(stranger_has_things: bool) -> Self {
        let mut app = TestApp::start().await;
        let stranger = app.app.operator().create_project("Other").await.unwrap();
        let (_, foreign_key) = app.app.operator().create_key(&stranger.to_string()).await.unwrap();
        let mut foreign = None;
        if stranger_has_things {
            let mine = (app.project, app.key.clone());
            (app.project, app.key) = (stranger, foreign_key.clone());
            foreign = Some(Box::pin(Resources::new(&app, "+15557770002", 900)).await);
            (app.project, app.key) = mine;
        }
        // Boxed: the future is too large for the stack of a test thread.
        let resources = Box::pin(Resources::new(&app, ANA, 100)).await;
        let (writes_before, foreign_writes_before) = (0, 0);
        let mut world = Self { app, foreign_key, writes_before, foreign_writes_before, stranger, foreign, resources };
        world.writes_before = world.audit_count().await;
        world.foreign_writes_before = world.foreign_audit_count().await;
        world
    }
}

impl Resources {
    /// Creates an agent in handoff and one of everything else. Phone numbers begin with `number`.
    async fn new(app: &TestApp, phone: &str, number: u32) -> Self {
        let graph = json!({
            "nodes": [{"name": "__start__", "type": "DefaultNode"}, {"name": "talk", "type": "DefaultNode", "prompt": "Help."},
                {"name": "person", "type": "HandoffNode", "handoff": {}}, {"name": "__end__", "type": "DefaultNode"}],
            "edges": [{"from": "__start__", "to": "talk"}, {"from": "talk", "to": "person", "label": "a person is wanted"},
                {"from": "person", "to": "__end__", "label": "done"}]});
        let agent = app.agent(json!({"name": "Desk", "graph": graph})).await;
        let sandbox_session = app.activate(phone, &agent).await;
        app.model().calls(&[("MoveToNextNode", json!({"next_node": "person", "reason": "asked"}))]);
        app.contact_sends(phone, "a human, please").await;
        app.run_until_idle().await;
        let first = async |path: &str| app.get(path).await.data()[0]["id"].as_str().unwrap().to_owned();
        let made = async |path: &str, body: Value| app.post(&format!("/api/v1/{path}"), body).await.id();
        let execution = first(&format!("/api/v1/agents/{agent}/executions")).await;
        let conversation = first("/api/v1/whatsapp_conversations").await;
        let conversations = format!("whatsapp_conversations/{conversation}");
        let link = first(&format!("/api/v1/{conversations}/agent_executions")).await;
        // The last owner could not be removed.
        app.member(&format!("owner-{number}@example.test")).await;
        let member = app.member(&format!("maria-{number}@example.test")).await;
        let api_key = json!({"api_key": {"name": "spare", "role": "viewer"}});
        let api_key = made("api_keys", api_key).await;
        let invitation = json!({"invitation": {"email": format!("guest-{number}@example.test"), "role": "viewer"}});
        let invitation = made("invitations", invitation).await;
        let assignment = made(&format!("{conversations}/conversation_assignments"), assignment(&member)).await;
        let released = json!({"conversation_assignment": {"active": false}});
        app.model().calls(&[("MoveToNextNode", json!({"next_node": "person", "reason": "asked again"}))]);
        app.patch(&format!("/api/v1/{conversations}/conversation_assignments/{assignment}"), released).await.data();
        app.run_until_idle().await;
        let inbound = app.get(&format!("/api/v1/{conversations}/whatsapp_messages")).await;
        let inbound = inbound
            .data()
            .as_array()
            .unwrap()
            .iter()
            .find(|message| message["direction"] == "inbound")
            .unwrap()
            .clone();
        let message = inbound["id"].as_str().unwrap().to_owned();
        set_secret(app, "spare_token").await;
        let snapshot = made(&format!("agents/{agent}/agent_snapshots"), json!({})).await;
        app.model().says("Hello, tester.");
        let chat = made(&format!("agents/{agent}/test_chats"), json!({"message": "hi"})).await;
        let suite = first(&format!("/api/v1/agents/{agent}/test_suites")).await;
        let case = json!({"test_case": {"name": "Greets", "script": "Say hello.", "rubric": "It greets."}});
        let case = made(&format!("test_suites/{suite}/test_cases"), case).await;
        let run = made(&format!("test_cases/{case}/test_runs"), json!({"agent_test_run": {}})).await;
        app.post(&format!("/api/v1/test_runs/{run}/cancel"), json!({})).await.data();
        app.run_until_idle().await;
        let shown = app.get(&format!("/api/v1/test_chats/{chat}")).await;
        let checkpoint = shown.data()["checkpoint"]["checkpoint_id"].as_str().unwrap().to_owned();
        let customer = json!({"customer": {"name": "Blue Clinic", "external_customer_id": "clinic-17"}});
        let customer = made("customers", customer).await;
        // Deleting a customer deletes its numbers, so this number belongs to another customer.
        let other = json!({"customer": {"name": "Green Clinic", "external_customer_id": "clinic-16"}});
        let other = format!("customers/{}/whatsapp_configs", made("customers", other).await);
        let configs = format!("customers/{customer}/whatsapp_configs");
        let config = |more: u32| json!({"whatsapp_config": self::number(&format!("{}", 555_000_111_000_u64 + u64::from(number + more)))});
        let whatsapp_config = made(&other, config(1)).await;
        let links = format!("agents/{agent}/agent_whatsapp_configs");
        let agent_link = json!({"agent_whatsapp_config": {"whatsapp_config_id": whatsapp_config}});
        let agent_link = made(&links, agent_link).await;
        // Another number, for the link that the walk creates.
        let free_config = made(&configs, config(2)).await;
        let setup_link = made(&format!("customers/{customer}/setup_links"), json!({})).await;
        let contact = first("/api/v1/whatsapp_contacts").await;
        let note =
            made(&format!("whatsapp_contacts/{contact}/notes"), json!({"note": {"content": "No penicillin"}})).await;
        let own = if phone == ANA { OWN_NUMBER_ID } else { OTHER_NUMBER_ID };
        let (_, own_config) = app.connect(own).await;
        let hooks = format!("whatsapp_configs/{own_config}/whatsapp_webhooks");
        let number_webhook = made(&hooks, json!({"whatsapp_webhook": webhook()})).await;
        let webhook_endpoint = made("webhook_endpoints", json!({"webhook_endpoint": webhook()})).await;
        let webhook_delivery = made(&format!("webhook_endpoints/{webhook_endpoint}/test"), json!({})).await;
        let claude = json!({"model_provider": {"name": "Clinic", "kind": "Anthropic"}});
        let model_provider = made("model_providers", claude).await;
        let templates = "/api/v1/whatsapp_templates";
        app.post(&format!("{templates}/sync"), json!({"whatsapp_config_id": own_config})).await;
        app.run_until_idle().await;
        let pulled = async |name: &str| first(&format!("{templates}?q[name_cont]={name}")).await;
        let (edited, sent) = (pulled("order_update_named").await, pulled("hello_world").await);
        let draft = async |name: &str| {
            made(
                "whatsapp_templates",
                json!({"template": template(&format!("{name}_{number}")), "whatsapp_config_id": own_config}),
            )
            .await
        };
        let (template, unsubmitted) = (draft("visit_reminder").await, draft("visit_over").await);
        let project = app.project.to_string();
        Self {
            agent,
            execution,
            conversation,
            link,
            assignment,
            member,
            api_key,
            invitation,
            message,
            sandbox_session,
            snapshot,
            chat,
            checkpoint,
            suite,
            case,
            run,
            project,
            customer,
            whatsapp_config,
            free_config,
            setup_link,
            agent_link,
            contact,
            note,
            number_webhook,
            webhook_endpoint,
            webhook_delivery,
            model_provider,
            own_config,
            template,
            unsubmitted,
            edited,
            sent,
        }
    }

    /// Value of a path parameter.
    pub fn in_path(&self, path: &str, parameter: &str) -> Option<&str> {
        Some(match parameter {
            "agent_id" => &self.agent,
            "api_key_id" => &self.api_key,
            "execution_id" => &self.execution,
            "step_no" => "1",
            "invitation_id" => &self.invitation,
            "member_id" => &self.member,
            "conversation_id" | "whatsapp_conversation_id" => &self.conversation,
            "name" if path.starts_with("/api/v1/secrets/") => "shop_token",
            "id" if path.starts_with("/api/v1/sandbox_sessions/") => &self.sandbox_session,
            "id" if path.starts_with("/api/v1/whatsapp_messages/") => &self.message,
            "agent_snapshot_id" => &self.snapshot,
            "test_suite_id" => &self.suite,
            "test_case_id" => &self.case,
            "test_run_id" => &self.run,
            "id" if path.starts_with("/api/v1/agent_snapshots/") => &self.snapshot,
            "id" if path.starts_with("/api/v1/test_chats/") => &self.chat,
            "project_id" => &self.project,
            "customer_id" => &self.customer,
            "config_id" => &self.whatsapp_config,
            "whatsapp_config_id" => &self.own_config,
            "id" if path.contains("/whatsapp_webhooks/") => &self.number_webhook,
            "id" if path.starts_with("/api/v1/webhook_endpoints/") => &self.webhook_endpoint,
            "id" if path.starts_with("/api/v1/model_providers/") => &self.model_provider,
            "id" if path.starts_with("/api/v1/webhook_deliveries/") => &self.webhook_delivery,
            "identifier" => &self.contact,
            "note_id" => &self.note,
            "template_id" if path.ends_with("/submit") => &self.unsubmitted,
            "template_id" if path.ends_with("/meta") => &self.edited,
            "template_id" if path.ends_with("/send_template") => &self.sent,
            "template_id" => &self.template,
            "id" if path.contains("/setup_links/") => &self.setup_link,
            "id" if path.contains("/agent_whatsapp_configs/") => &self.agent_link,
            "id" if path.contains("/agent_executions/") => &self.link,
            "id" if path.contains("/conversation_assignments/") => &self.assignment,
            _ => return None,
        })
    }

    /// Id for a body field or a query parameter, if the field is an id.
    pub fn in_body(&self, field: &str) -> Option<&str> {
        Some(match field {
            "agent" | "agent_id" => &self.agent,
            "agent_test_chat_id" => &self.chat,
            "config" => &self.own_config,
            "contact" => &self.contact,
            "snapshot" => &self.snapshot,
            "checkpoint_id" => &self.checkpoint,
            "customer_id" | "q[customer_id_eq]" => &self.customer,
            "user_id" => &self.member,
            "webhook_endpoint_id" => &self.webhook_endpoint,
            "whatsapp_config_id" | "q[whatsapp_config_id_eq]" => &self.own_config,
            _ => return None,
        })
    }
}

impl World {
    /// Valid body for the operation.
    pub fn body(&self, operation: &Operation) -> Option<Value> {
        Some(match operation.name.as_str() {
            "create_api_key" => {
                json!({"api_key": {"name": "shop server", "role": "builder", "expires_at": "2100-01-01T00:00:00Z"}})
            }
            "create_invitation" => json!({"invitation": {"email": "new@example.test", "role": "inbox"}}),
            "rotate_api_key" => json!({"overlap_seconds": 60}),
            "update_member" => json!({"member": {"role": "builder"}}),
            // As it is called when all other operations were called.
            "delete_project" => json!({"project": {"name": "Renamed"}}),
            "update_project" => json!({"project": {"name": "Renamed", "archived": false}}),
            "create_agent" => json!({"agent": {"name": "Another", "system_prompt": "Be kind."}}),
            "update_agent" => json!({"agent": {"name": "Renamed", "description": null}}),
            "start_agent_execution" => json!({"message": "hello"}),
            "resume_agent_execution" => json!({"message": {"type": "user_input", "content": {"text": "go on"}}}),
            "update_agent_execution" => json!({"agent_execution": {"status": "ended", "reason": "solved"}}),
            "mark_inbox_read" => json!({"seq": 2}),
            "set_secret" => json!({"secret": {"value": "s3cret"}}),
            "create_whatsapp_message" => json!({"message": {"content": "Maria here.", "message_type": "text"}}),
            "create_standalone_whatsapp_message" => {
                json!({"message": {"phone_number": "+5511999990002", "message_type": "template", "template_name": "hello_world"}})
            }
            "create_sandbox_session" => {
                json!({"whatsapp_sandbox_session": {"phone_number": "+5511999990002", "agent_id": self.resources.agent}})
            }
            "create_agent_snapshot" => json!({"graph": null}),
            "create_agent_test_chat" | "create_agent_snapshot_test_chat" => json!({"message": "hello"}),
            "resume_agent_test_chat" => json!({"message": {"type": "payload", "content": {"order_ready": true}}}),
            "create_test_suite" => json!({"test_suite": {"name": "Smoke", "agent_id": self.resources.agent}}),
            "update_test_suite" => json!({"test_suite": {"name": "Renamed", "description": null}}),
            "create_test_case" => json!({"test_case": {"name": "Hours", "script": "Ask.", "rubric": "Says 8 am."}}),
            "update_test_case" => json!({"test_case": {"name": "Renamed", "script": "Ask again."}}),
            "create_test_run" => json!({"agent_test_run": {}, "run_now": false}),
            "create_customer" => {
                json!({"customer": {"name": "Red Clinic", "external_customer_id": "clinic-18", "metadata": {}}})
            }
            "update_customer" => json!({"customer": {"name": "Blue Clinic North", "external_customer_id": null}}),
            "create_customer_whatsapp_config" => {
                json!({"whatsapp_config": number("555000111224")})
            }
            "update_whatsapp_config" => {
                json!({"whatsapp_config": {"name": "Night line", "webhook_destination_url": null, "access_token": "EAAB-new"}})
            }
            "create_agent_whatsapp_config" => {
                json!({"agent_whatsapp_config": {"whatsapp_config_id": self.resources.free_config, "is_primary": true}})
            }
            "update_agent_whatsapp_config" => json!({"agent_whatsapp_config": {"is_primary": false}}),
            "create_setup_link" => {
                json!({"setup_link": {"success_redirect_url": "https://app.clinic.example/ok",
                    "allowed_connection_types": ["dedicated"], "theme_config": {"primary_color": "#224466"}}})
            }
            "update_setup_link" => json!({"setup_link": {"status": "revoked"}}),
            "create_whatsapp_contact" => {
                json!({"contact": {"wa_id": "5511987650001", "profile_name": "Marta", "customer_id": self.resources.customer,
                    "metadata": {"tags": ["recall"]}}})
            }
            "update_whatsapp_contact" => json!({"contact": {"profile_name": "Marta L.", "metadata": {}}}),
            "create_whatsapp_contact_note" => {
                json!({"note": {"name": "Allergy", "content": "No penicillin", "metadata": {}}})
            }
            "update_whatsapp_contact_note" => json!({"note": {"name": null, "content": "None"}}),
            "update_whatsapp_conversation" => json!({"whatsapp_conversation": {"status": "active"}}),
            "create_conversation_assignment" => assignment(&self.resources.member),
            "update_conversation_assignment" => {
                json!({"conversation_assignment": {"user_id": self.resources.member, "notes": "Prefers calls", "active": false}})
            }
            "create_whatsapp_webhook" => json!({"whatsapp_webhook": webhook()}),
            "update_whatsapp_webhook" => json!({"whatsapp_webhook": {"active": false, "headers": null}}),
            "create_model_provider" => {
                json!({"model_provider": {"name": "Clinic Mistral", "kind": "Mistral", "model": "mistral-small-latest"}})
            }
            "update_model_provider" => json!({"model_provider": {"model": "claude-haiku-4-5"}}),
            "create_webhook_endpoint" => json!({"webhook_endpoint": webhook()}),
            "update_webhook_endpoint" => {
                json!({"webhook_endpoint": {"events": ["execution.handoff", "whatsapp.message.failed"], "ordered": true}})
            }
            "rotate_webhook_endpoint_secret" => json!({"secret_key": "an0ther-s3cret", "overlap_hours": 48}),
            "replay_failed_webhook_deliveries" => json!({"webhook_endpoint_id": self.resources.webhook_endpoint}),
            "create_whatsapp_template" => {
                json!({"template": template("visit_new"), "whatsapp_config_id": self.resources.own_config})
            }
            "update_whatsapp_template" => json!({"template": {"category": "MARKETING", "name": "visit_again"}}),
            "edit_whatsapp_template_on_meta" => {
                json!({"template": {"time_to_live": 600, "components": [{"type": "BODY", "text": "Hello again"}]}})
            }
            "send_whatsapp_template" => json!({"template": {"phone_number": ANA, "template_parameters": []}}),
            "submit_whatsapp_template" | "sync_whatsapp_templates" => {
                json!({"whatsapp_config_id": self.resources.own_config})
            }
            name => {
                assert!(!operation.takes_a_body(), "walk/world.rs needs a body for {name}");
                return None;
            }
        })
    }

    pub fn path(&self, operation: &Operation) -> String {
        self.path_with(operation, "", "")
    }

    /// Path with one parameter replaced.
    pub fn path_with(&self, operation: &Operation, replaced: &str, by: &str) -> String {
        let mut path = operation.path.clone();
        for name in operation.path_parameters() {
            let id = self.resources.in_path(&operation.path, &name);
            let id = id.unwrap_or_else(|| panic!("walk/world.rs needs an id for {name} of {}", operation.path));
            path = path.replace(&format!("{{{name}}}"), if name == replaced { by } else { id });
        }
        path
    }

    pub async fn audit_count(&self) -> i64 {
        self.audit_count_of(self.app.project).await
    }

    pub async fn foreign_audit_count(&self) -> i64 {
        self.audit_count_of(self.stranger).await
    }

    async fn audit_count_of(&self, project: ProjectId) -> i64 {
        let mut reader = self.app.app.context().store.read().await.unwrap();
        store::audit::list(&mut reader.conn(), project, 1, 0).await.unwrap().1
    }

    /// Starts an execution with a new contact.
    pub async fn another_conversation(&self) {
        let Resources { agent, whatsapp_config, .. } = &self.resources;
        let body = json!({"phone_number": "+5511987650777", "whatsapp_config_id": whatsapp_config});
        self.app.post(&format!("/api/v1/agents/{agent}/executions"), body).await.data();
        self.app.member("later@example.test").await;
        set_secret(&self.app, "later_token").await;
        let changed = json!({"agent": {"system_prompt": "Be kind."}});
        self.app.patch(&format!("/api/v1/agents/{agent}"), changed).await.data();
    }
}

async fn set_secret(app: &TestApp, name: &str) {
    let body = json!({"secret": {"value": "x"}});
    let answer = app.call(reqwest::Method::PUT, &format!("/api/v1/secrets/{name}"), Some(body)).await;
    assert_eq!(answer.status, 204, "{}", answer.body);
}

fn assignment(user: &str) -> Value {
    json!({"conversation_assignment": {"user_id": user, "notes": "Speaks Portuguese"}})
}

fn webhook() -> Value {
    json!({"url": "https://hooks.clinic.example/wa", "secret_key": "s3cr3t-value", "events": ["whatsapp.message.received"],
        "headers": {"Authorization": "Bearer abc"}, "buffer_enabled": true})
}

fn number(phone_number_id: &str) -> Value {
    json!({"name": "Blue Clinic line", "phone_number_id": phone_number_id, "business_account_id": "777000111222",
        "webhook_verify_token": "check-me", "access_token": "EAAB-test"})
}

fn template(name: &str) -> Value {
    json!({"name": name, "language_code": "pt_BR", "category": "UTILITY", "components": [{"type": "BODY", "text": "Hello"}]})
}
