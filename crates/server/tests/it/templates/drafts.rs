//! Template drafts, which exist only here until submission.

use super::*;

#[tokio::test]
async fn draft_belongs_to_its_account_and_all_its_production_numbers() {
    let (app, config) = connected().await;
    let made = app.post(TEMPLATES, json!({"template": visit("visit_reminder")})).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let data = made.data();
    assert_eq!((&data["status"], &data["business_account_id"]), (&json!("draft"), &json!(emulator::WABA_ID)));
    assert_eq!(data["whatsapp_config_ids"], json!([config]));
    assert_eq!(data["content"], "Oi {{1}}, até as {{2}} horas.");
    assert_eq!((&data["parameter_count"], &data["components"]), (&json!(2), &visit("x")["components"]));
    assert_eq!(data["metadata"], json!({"parameter_format": "POSITIONAL"}));
    assert!(
        templates_at_meta(&app).await.iter().all(|template| template["name"] != "visit_reminder"),
        "Meta has no such template"
    );
    let extra = json!({"type": "BODY", "text": "Seu código.", "add_security_recommendation": true});
    let template =
        json!({"name": "code", "language_code": "pt_BR", "category": "AUTHENTICATION", "components": [extra]});
    let kept = app.post(TEMPLATES, json!({"template": template, "whatsapp_config_id": config})).await;
    assert_eq!(kept.data()["components"][0], extra, "unknown keys are kept");
}

#[tokio::test]
async fn draft_must_name_one_of_several_accounts() {
    let (app, config) = connected().await;
    let customer = json!({"customer": {"name": "Other", "external_customer_id": "other"}});
    let customer = app.post("/api/v1/customers", customer).await.id();
    let number = json!({"name": "Other line", "phone_number_id": "777", "business_account_id": "2002", "webhook_verify_token": "x"});
    let configs = format!("/api/v1/customers/{customer}/whatsapp_configs");
    app.post(&configs, json!({"whatsapp_config": number})).await.data();
    let create = async |more: Value| {
        let mut body = json!({"template": visit("visit_reminder")});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        app.post(TEMPLATES, body).await
    };
    assert_eq!(refusal(&create(json!({})).await), (422, "ambiguous_account"));
    let of_customer = create(json!({"customer_id": customer})).await;
    assert_eq!(of_customer.data()["business_account_id"], "2002");
    assert_eq!(create(json!({"whatsapp_config_id": config})).await.data()["business_account_id"], emulator::WABA_ID);
    let absent = "0197a1b2-0000-7000-8000-000000000001";
    for (more, expected) in [
        (json!({"whatsapp_config_id": absent}), ("/whatsapp_config_id", "unknown_config")),
        (json!({"customer_id": absent}), ("/customer_id", "unknown_customer")),
    ] {
        let refused = create(more).await;
        assert_eq!((refused.status, detail(&refused)), (422, expected));
    }
    assert_eq!(
        refusal(&create(json!({"customer_id": customer, "whatsapp_config_id": config})).await),
        (422, "no_production_config")
    );
}

#[tokio::test]
async fn draft_without_a_number_is_submitted_once_one_is_connected() {
    let app = TestApp::start().await;
    let id = draft(&app, "visit_reminder").await;
    assert_eq!(read(&app, &id).await["business_account_id"], json!(null));
    assert_eq!(refusal(&submit(&app, &id).await), (422, "no_production_config"));
    let (_, config) = app.own_number().await;
    let submitted = submit(&app, &id).await;
    assert_eq!(submitted.status, 200, "{}", submitted.body);
    assert_eq!(submitted.body["data"]["whatsapp_config_ids"], json!([config]));
}

#[tokio::test]
async fn template_name_is_unique_per_language() {
    let (app, _) = connected().await;
    draft(&app, "visit_reminder").await;
    let again = app.post(TEMPLATES, json!({"template": visit("visit_reminder")})).await;
    assert_eq!((again.status, detail(&again)), (422, ("/template/name", "taken")));
    let mut english = visit("visit_reminder");
    english["language_code"] = json!("en_US");
    let english = app.post(TEMPLATES, json!({"template": english})).await.id();
    let moved = app.patch(&path(&english, ""), json!({"template": {"language_code": "pt_BR"}})).await;
    assert_eq!((moved.status, detail(&moved)), (422, ("/template/name", "taken")));
    // Templates at Meta occupy their names too.
    sync(&app).await;
    let hello = json!({"name": "hello_world", "language_code": "en_US", "category": "UTILITY", "components": [{"type": "BODY", "text": "Hi"}]});
    assert_eq!(detail(&app.post(TEMPLATES, json!({"template": hello})).await), ("/template/name", "taken"));
}

#[tokio::test]
async fn all_rule_violations_of_a_template_are_reported_together() {
    let (app, _) = connected().await;
    let template = json!({"name": "Visit Reminder", "language_code": "portuguese", "category": "UTILITY", "components": [
        {"type": "BODY", "text": "{{1}}, hello {{3}}"}, {"type": "FOOTER", "text": "x".repeat(61)}]});
    let refused = app.post(TEMPLATES, json!({"template": template})).await;
    let paths: Vec<&str> =
        refused.body["details"].as_array().unwrap().iter().map(|detail| detail["path"].as_str().unwrap()).collect();
    assert_eq!(refused.status, 422);
    for expected in
        ["/template/name", "/template/language_code", "/template/components/0/text", "/template/components/1/text"]
    {
        assert!(paths.contains(&expected), "{expected}: {paths:?}");
    }
    assert_eq!(app.get(TEMPLATES).await.data(), &json!([]), "nothing was saved");
}

#[tokio::test]
async fn draft_is_editable_until_submission_and_keeps_omitted_fields() {
    let (app, _) = connected().await;
    let id = draft(&app, "visit_reminder").await;
    let change = async |template: Value| app.patch(&path(&id, ""), json!({"template": template})).await;
    let changed = change(json!({"category": "MARKETING"})).await;
    assert_eq!((&changed.data()["category"], &changed.data()["parameter_count"]), (&json!("MARKETING"), &json!(2)));
    let named = json!({"parameter_format": "NAMED", "components": [{"type": "BODY", "text": "Oi {{guest}}, até já."}]});
    assert_eq!(change(named).await.data()["content"], "Oi {{guest}}, até já.");
    let mixed = change(json!({"parameter_format": "POSITIONAL"})).await;
    assert_eq!((mixed.status, detail(&mixed).0), (422, "/template/components/0/text"));
    let unfinished = submit(&app, &id).await;
    let expected = ("/template/components/0/example/body_text_named_params", "missing_example");
    assert_eq!((unfinished.status, detail(&unfinished)), (422, expected));
    let example = json!({"body_text_named_params": [{"param_name": "guest", "example": "Marta"}]});
    let body = json!({"type": "BODY", "text": "Oi {{guest}}, até já.", "example": example});
    change(json!({"components": [body]})).await.data();
    assert_eq!(submit(&app, &id).await.status, 200);
    let late = change(json!({"category": "UTILITY"})).await;
    assert_eq!(refusal(&late), (422, "not_a_draft"));
    assert_eq!(late.body["error"], "Only draft templates can be updated");
    let again = submit(&app, &id).await;
    assert_eq!(refusal(&again), (422, "not_a_draft"));
    assert_eq!(again.body["error"], "Only draft templates can be submitted");
}

#[tokio::test]
async fn removed_draft_is_kept_and_frees_its_name_without_calling_meta() {
    let (app, _) = connected().await;
    let id = draft(&app, "visit_reminder").await;
    for _ in 0..2 {
        let removed = app.call(Method::DELETE, &path(&id, ""), None).await;
        assert_eq!(removed.data()["status"], "removed");
    }
    let asked = app.emulator_call(Method::GET, "/requests", None).await;
    assert!(!asked.to_string().contains("message_templates"), "{asked}");
    assert_eq!(app.get(TEMPLATES).await.data(), &json!([]));
    let removed = app.get(&format!("{TEMPLATES}?q[status_eq]=removed")).await;
    assert_eq!(removed.data()[0]["id"], json!(id));
    draft(&app, "visit_reminder").await;
}

#[tokio::test]
async fn templates_are_filtered_by_their_properties() {
    let (app, config) = connected().await;
    sync(&app).await;
    draft(&app, "visit_reminder").await;
    let count = async |query: &str| {
        let list = app.get(&format!("{TEMPLATES}?{query}")).await;
        assert_eq!(list.data().as_array().unwrap().len() as u64, list.body["meta"]["total_count"].as_u64().unwrap());
        list.body["meta"]["total_count"].as_u64().unwrap()
    };
    let all = templates_at_meta(&app).await.len() as u64 + 1;
    let configs = app.get("/api/v1/whatsapp_configs").await;
    let customer = configs.data()[0]["customer_id"].as_str().unwrap().to_owned();
    let absent = "0197a1b2-0000-7000-8000-000000000001";
    for (query, expected) in [
        (String::new(), all),
        ("q[status_eq]=draft".into(), 1),
        ("q[name_cont]=ORDER_up".into(), 3),
        ("q[language_code_eq]=en_US&q[name_cont]=order".into(), 1),
        ("q[category_eq]=AUTHENTICATION".into(), 1),
        (format!("whatsapp_config_id={config}"), all),
        (format!("q[whatsapp_config_id_eq]={absent}"), 0),
        (format!("customer_id={customer}"), all),
        (format!("q[customer_id_eq]={absent}"), 0),
        (format!("business_account_id={}", emulator::WABA_ID), all),
        ("q[business_account_id_eq]=other".into(), 0),
    ] {
        assert_eq!(count(&query).await, expected, "{query}");
    }
    assert_eq!(app.get(&format!("{TEMPLATES}?q[status_eq]=paused")).await.status, 422);
}
