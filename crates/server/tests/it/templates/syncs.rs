//! Template syncs: one per account at a time, through crashes and refusals.

use super::*;
use domain::Span;
use futures::future::join_all;

async fn runs(app: &TestApp, query: &str) -> Value {
    let answer = app.get(&format!("{TEMPLATES}/sync_status?{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

/// List requests received by the emulator.
async fn lists(app: &TestApp) -> usize {
    let asked = app.emulator_call(Method::GET, "/requests", None).await;
    let all = asked["requests"].as_array().cloned().unwrap_or_default();
    all.iter()
        .filter(|call| call["method"] == "GET" && call["path"].as_str().unwrap().ends_with("message_templates"))
        .count()
}

#[tokio::test]
async fn sync_stores_metas_templates_and_reports_counts() {
    let (app, config) = connected().await;
    let queued = app.post(&format!("{TEMPLATES}/sync"), json!({})).await;
    let body = &queued.body;
    assert_eq!((queued.status, &body["status"]), (202, &json!("queued")));
    assert_eq!(body["summary"], json!({"total_requests": 1, "jobs_enqueued": 1, "already_in_progress": 0}));
    let run = &body["sync_requests"][0];
    assert_eq!(
        (&run["status"], &run["started_at"], &run["job_id"].is_string()),
        (&json!("queued"), &json!(null), &true)
    );
    assert_eq!(
        (&run["business_account_id"], &run["anchor_whatsapp_config_id"]),
        (&json!(emulator::WABA_ID), &json!(config))
    );
    assert_eq!(run["anchor_whatsapp_config"]["name"], "Own line");
    app.run_until_idle().await;
    let meta = templates_at_meta(&app).await;
    let done = runs(&app, "").await["sync_requests"][0].clone();
    assert_eq!((&done["id"], &done["status"]), (&run["id"], &json!("succeeded")));
    let counts = json!({"templates_synced": meta.len(), "templates_created": meta.len(), "templates_updated": 0, "templates_removed": 0});
    assert_eq!(done["results"], json!({&config: counts}));
    assert_eq!(done["affected_whatsapp_config_ids"], json!([config]));
    assert!(done["finished_at"].is_string() && done["error_class"].is_null());
    for template in &meta {
        let id = synced(&app, template["name"].as_str().unwrap(), template["language"].as_str().unwrap()).await;
        let ours = read(&app, &id).await;
        assert_eq!((&ours["components"], &ours["category"]), (&template["components"], &template["category"]));
        assert_eq!(ours["metadata"]["meta_template_id"], template["id"]);
        assert_eq!(ours["metadata"]["parameter_format"], template["parameter_format"]);
    }
    let state = async |name: &str, language: &str| status(&app, &synced(&app, name, language).await).await;
    assert_eq!(state("hello_world", "en_US").await, "approved");
    assert_eq!(
        (state("promo_paused", "pt_BR").await, state("free_money", "en_US").await),
        ("disabled".into(), "rejected".into())
    );
}

#[tokio::test]
async fn second_sync_counts_changes_and_removals_and_keeps_drafts() {
    let (app, _) = connected().await;
    sync(&app).await;
    let unchanged = sync(&app).await;
    let counts = ["templates_created", "templates_updated", "templates_removed"].map(|key| unchanged[key].clone());
    assert_eq!(counts, [json!(0), json!(0), json!(0)]);
    let mine = draft(&app, "visit_reminder").await;
    let (gone, kept) = (synced(&app, "order_update", "en_US").await, synced(&app, "hello_world", "en_US").await);
    // Changed in Meta's own tool, without a webhook.
    let lose = json!({"when": {"surface": "webhook", "event": "template"}, "trigger": "always", "do": "lose"});
    app.emulator_call(Method::POST, "/faults", Some(lose)).await;
    let meta_id = |template: Value| template["metadata"]["meta_template_id"].as_str().unwrap().to_owned();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let query = format!("name=order_update&hsm_id={}", meta_id(read(&app, &gone).await));
    let url = format!("{}/v25.0/{}/message_templates?{query}", app.emulator.url(), emulator::WABA_ID);
    assert!(client.delete(url).bearer_auth(emulator::ACCESS_TOKEN).send().await.unwrap().status().is_success());
    decide(&app, &json!(meta_id(read(&app, &kept).await)), json!({"status": "PAUSED"})).await;
    assert_eq!(status(&app, &kept).await, "approved", "no webhook yet");
    app.forward(Span::from_secs(1)).await;
    let run = sync(&app).await;
    assert_eq!((&run["templates_updated"], &run["templates_removed"]), (&json!(1), &json!(1)), "{run}");
    assert_eq!((status(&app, &gone).await, status(&app, &kept).await), ("removed".into(), "disabled".into()));
    assert_eq!(status(&app, &mine).await, "draft");
    let summary = runs(&app, "").await["summary"].clone();
    assert_eq!(
        (&summary["succeeded"], &summary["templates_removed"]),
        (&json!(1), &json!(1)),
        "the newest of each account"
    );
}

#[tokio::test]
async fn account_has_one_sync_at_a_time() {
    let (app, _) = connected().await;
    let sync = format!("{TEMPLATES}/sync");
    let answers = join_all((0..10).map(|_| app.post(&sync, json!({})))).await;
    let ids: std::collections::BTreeSet<String> =
        answers.iter().map(|answer| answer.body["sync_requests"][0]["id"].to_string()).collect();
    assert_eq!(ids.len(), 1);
    let new: u64 = answers.iter().map(|answer| answer.body["summary"]["jobs_enqueued"].as_u64().unwrap()).sum();
    assert_eq!(new, 1);
    let ctx = app.app.context();
    let workers = join_all((0..8).map(|_| runtime::workers::step(ctx))).await;
    assert!(workers.into_iter().all(|did| did.is_ok()));
    app.run_until_idle().await;
    assert_eq!(lists(&app).await, 1, "only one of eight workers called the model");
    let again = app.post(&format!("{TEMPLATES}/sync"), json!({})).await;
    assert_eq!(again.body["summary"]["jobs_enqueued"], 1, "the other one is over");
}

#[tokio::test]
async fn sync_interrupted_by_a_crash_is_finished_by_the_next_process() {
    let (app, _) = connected().await;
    app.post(&format!("{TEMPLATES}/sync"), json!({})).await;
    fault(&app, "templates", json!({"hang": {"ms": 3_600_000}})).await;
    // The process dies while the worker waits for Meta.
    let cut =
        tokio::time::timeout(std::time::Duration::from_millis(500), runtime::workers::step(app.app.context())).await;
    assert!(cut.is_err());
    assert_eq!(runs(&app, "").await["sync_requests"][0]["status"], "running");
    let app = app.crash_and_restart().await;
    let done = async || runs(&app, "").await["sync_requests"][0].clone();
    for _ in 0..200 {
        app.run_until_idle().await;
        if done().await["status"] == "succeeded" {
            break;
        }
        // On PostgreSQL the dead process's lease expires by the database clock.
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let done = done().await;
    assert_eq!(
        (&done["status"], &done["templates_created"]),
        (&json!("succeeded"), &json!(templates_at_meta(&app).await.len()))
    );
}

#[tokio::test]
async fn transient_sync_error_is_retried_and_visible() {
    let (app, _) = connected().await;
    for action in [json!({"error": "server_500"}), json!("drop")] {
        fault(&app, "templates", action).await;
    }
    let run = sync(&app).await;
    assert_eq!((&run["status"], &run["error_class"]), (&json!("running"), &json!("unreachable")));
    assert!(run["error_message"].is_string() && run["finished_at"].is_null(), "{run}");
    app.forward(Span::from_secs(60)).await;
    app.forward(Span::from_secs(60)).await;
    let run = runs(&app, "").await["sync_requests"][0].clone();
    assert_eq!((&run["status"], &run["error_class"]), (&json!("succeeded"), &json!(null)));
}

#[tokio::test]
async fn failed_sync_shows_its_reason() {
    let (app, config) = connected().await;
    fault(&app, "templates", json!({"error": "token_expired"})).await;
    let run = sync(&app).await;
    assert_eq!((&run["status"], &run["error_class"]), (&json!("failed"), &json!("channel_auth")));
    assert!(run["error_message"].is_string() && run["finished_at"].is_string(), "{run}");
    let always = json!({"when": {"surface": "templates"}, "trigger": "always", "do": {"error": "server_500"}});
    app.emulator_call(Method::POST, "/faults", Some(always)).await;
    app.forward(Span::from_secs(1)).await;
    sync(&app).await;
    for _ in 0..6 {
        app.forward(Span::from_mins(10)).await;
    }
    let run = runs(&app, "").await["sync_requests"][0].clone();
    assert_eq!((&run["status"], &run["error_class"]), (&json!("failed"), &json!("unreachable")), "given up");
    assert_eq!(app.get(TEMPLATES).await.data(), &json!([]));
    let path = format!("/api/v1/whatsapp_configs/{config}");
    app.patch(&path, json!({"whatsapp_config": {"access_token": null}})).await.data();
    let run = sync(&app).await;
    assert_eq!((&run["status"], &run["error_class"]), (&json!("failed"), &json!("channel_auth")));
    app.patch(&path, json!({"whatsapp_config": {"kind": "sandbox"}})).await.data();
    let none = app.post(&format!("{TEMPLATES}/sync"), json!({})).await;
    assert_eq!(refusal(&none), (422, "no_production_config"));
}

#[tokio::test]
async fn sync_runs_are_filtered_by_account_config_customer_and_id() {
    let (app, config) = connected().await;
    let customer = json!({"customer": {"name": "Other", "external_customer_id": "other"}});
    let customer = app.post("/api/v1/customers", customer).await.id();
    let number = json!({"name": "Other line", "phone_number_id": "777", "business_account_id": "2002", "webhook_verify_token": "x"});
    let configs = format!("/api/v1/customers/{customer}/whatsapp_configs");
    app.post(&configs, json!({"whatsapp_config": number})).await.data();
    let both = app.post(&format!("{TEMPLATES}/sync"), json!({})).await;
    assert_eq!(both.body["summary"]["total_requests"], 2);
    app.run_until_idle().await;
    app.forward(Span::from_secs(1)).await;
    let one = app.post(&format!("{TEMPLATES}/sync"), json!({"whatsapp_config_id": config})).await;
    let newest = one.body["sync_requests"][0]["id"].as_str().unwrap().to_owned();
    app.run_until_idle().await;
    let ids: Vec<&str> =
        both.body["sync_requests"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap()).collect();
    let absent = "0197a1b2-0000-7000-8000-000000000001";
    for (query, total, failed) in [
        (String::new(), 2, 1),
        (format!("business_account_id={}", emulator::WABA_ID), 2, 0),
        (format!("whatsapp_config_id={config}"), 2, 0),
        (format!("customer_id={customer}"), 1, 1),
        ("business_account_id=absent".into(), 0, 0),
        (format!("sync_request_ids={},{}", ids[0], ids[1]), 2, 1),
        (format!("sync_request_ids={newest},{absent}"), 1, 0),
        (format!("sync_request_ids={newest}&customer_id={customer}"), 0, 0),
    ] {
        let summary = runs(&app, &query).await["summary"].clone();
        assert_eq!((&summary["total_requests"], &summary["failed"]), (&json!(total), &json!(failed)), "{query}");
    }
    for (query, expected) in [
        (format!("whatsapp_config_id={absent}"), 404),
        (format!("customer_id={absent}"), 404),
        ("sync_request_ids=x".into(), 422),
    ] {
        assert_eq!(app.get(&format!("{TEMPLATES}/sync_status?{query}")).await.status, expected, "{query}");
    }
    let absent = app.post(&format!("{TEMPLATES}/sync"), json!({"whatsapp_config_id": absent})).await;
    assert_eq!(refusal(&absent), (404, "not_found"));
}
