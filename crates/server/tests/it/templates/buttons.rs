//! Every kind of button: created, approved, sent and shown on the phone, and never sent without the
//! component that WhatsApp wants.

use super::*;
use testkit::{ANA, OWN_NUMBER_ID};

/// A template with one button of a kind.
struct Case {
    button: Value,
    /// Further fields of the send.
    fields: Value,
    /// Field of the button on the phone, and its value.
    shown: (&'static str, Value),
    /// Meta's code for the message without the button's component; `None` if it takes it.
    bare: Option<u64>,
    /// True if the API refuses the send without `fields`.
    needs_fields: bool,
}

fn cases() -> Vec<Case> {
    let case = |button, fields, shown, bare, needs_fields| Case { button, fields, shown, bare, needs_fields };
    let none = || json!({});
    vec![
        case(json!({"type": "QUICK_REPLY", "text": "Yes"}), none(), ("payload", json!("Yes")), None, false),
        case(
            json!({"type": "QUICK_REPLY", "text": "Yes"}),
            json!({"button_quick_reply_payloads": {"0": "visit-7"}}),
            ("payload", json!("visit-7")),
            None,
            false,
        ),
        case(
            json!({"type": "PHONE_NUMBER", "text": "Call", "phone_number": "15550001111"}),
            none(),
            ("phone_number", json!("15550001111")),
            None,
            false,
        ),
        case(json!({"type": "VOICE_CALL", "text": "Call"}), none(), ("text", json!("Call")), None, false),
        case(
            json!({"type": "URL", "text": "Open", "url": "https://a.example/home"}),
            none(),
            ("url", json!("https://a.example/home")),
            None,
            false,
        ),
        case(
            json!({"type": "URL", "text": "Open", "url": "https://a.example/{{1}}", "example": ["https://a.example/1"]}),
            json!({"button_url_params": {"0": "7"}}),
            ("url", json!("https://a.example/7")),
            Some(131_008),
            true,
        ),
        case(
            json!({"type": "COPY_CODE", "example": "SUMMER"}),
            json!({"button_copy_code_params": {"0": "WINTER"}}),
            ("code", json!("WINTER")),
            Some(131_008),
            true,
        ),
        case(
            json!({"type": "FLOW", "text": "Book", "flow_id": "7"}),
            none(),
            ("flow_token", json!("unused")),
            Some(131_009),
            false,
        ),
        case(
            json!({"type": "CATALOG", "text": "View catalogue"}),
            none(),
            ("product", Value::Null),
            Some(131_009),
            false,
        ),
    ]
}

async fn with_button(app: &TestApp, name: &str, category: &str, components: Value) -> String {
    let template = json!({"name": name, "language_code": "en_US", "category": category, "components": components});
    let created = app.post(TEMPLATES, json!({ "template": template })).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let id = created.id();
    assert_eq!(submit(app, &id).await.status, 200);
    app.forward(domain::Span::from_secs(1)).await;
    assert_eq!(status(app, &id).await, "approved");
    id
}

async fn send(app: &TestApp, id: &str, fields: &Value) -> Answer {
    let mut template = json!({ "phone_number": ANA });
    template.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    app.post(&path(id, "/send_template"), json!({ "template": template })).await
}

/// Sends the template past Chasqui, without any component; returns Meta's code.
async fn bare(app: &TestApp, name: &str, components: Value) -> Option<u64> {
    let template = json!({"name": name, "language": {"code": "en_US"}, "components": components});
    let body = json!({"messaging_product": "whatsapp", "to": ANA, "type": "template", "template": template});
    let answer = app.graph_call(&format!("/{OWN_NUMBER_ID}/messages"), &body).await;
    answer["error"]["code"].as_u64()
}

#[tokio::test]
async fn every_kind_of_button_is_sent_with_its_component() {
    let (app, _) = connected().await;
    for (at, case) in cases().into_iter().enumerate() {
        // WhatsApp limits how many messages a phone gets at once.
        app.forward(domain::Span::from_mins(2)).await;
        let (name, kind) = (format!("button_{at}"), &case.button);
        let components = json!([{"type": "BODY", "text": "Good morning."}, {"type": "BUTTONS", "buttons": [kind]}]);
        let id = with_button(&app, &name, "MARKETING", components).await;
        assert_eq!(bare(&app, &name, json!([])).await, case.bare, "{kind}");
        let sent = send(&app, &id, &case.fields).await;
        assert_eq!(sent.status, 200, "{kind}: {}", sent.body);
        let last = app.chat_with(OWN_NUMBER_ID, ANA).await.pop().unwrap();
        let (field, value) = &case.shown;
        assert_eq!(&last["content"]["rendered"]["buttons"][0][field], value, "{kind}: {last}");
        if case.needs_fields {
            let refused = send(&app, &id, &json!({})).await;
            assert_eq!((refused.status, detail(&refused).1), (422, "missing_parameter"), "{kind}");
        }
        // The messages API has no fields for buttons: it fills in what needs no value.
        let message =
            json!({"message": {"message_type": "template", "template_name": name, "template_language": "en_US"}});
        let conversation = app.get("/api/v1/whatsapp_conversations").await.data()[0]["id"].as_str().unwrap().to_owned();
        let sent = app.post(&format!("/api/v1/whatsapp_conversations/{conversation}/whatsapp_messages"), message).await;
        if case.needs_fields {
            assert_eq!((sent.status, detail(&sent)), (422, ("/message/template_name", "missing_parameter")), "{kind}");
        } else {
            assert_eq!(sent.status, 201, "{kind}: {}", sent.body);
            app.run_until_idle().await;
            let message = app.messages().await.into_iter().find(|message| message["id"] == sent.id()).unwrap();
            assert_ne!(message["status"], "failed", "{kind}: {message}");
        }
    }
}

#[tokio::test]
async fn authentication_template_without_texts_takes_the_code_once() {
    let (app, _) = connected().await;
    let components = json!([{"type": "BODY", "add_security_recommendation": true},
        {"type": "FOOTER", "code_expiration_minutes": 5},
        {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy"}]}]);
    let id = with_button(&app, "sign_in", "AUTHENTICATION", components).await;
    let body = json!([{"type": "body", "parameters": [{"type": "text", "text": "4711"}]}]);
    assert_eq!(bare(&app, "sign_in", body).await, Some(131_008));
    let sent = send(&app, &id, &json!({"template_parameters": ["4711"]})).await;
    assert_eq!(sent.status, 200, "{}", sent.body);
    let last = app.chat_with(OWN_NUMBER_ID, ANA).await.pop().unwrap();
    let rendered = &last["content"]["rendered"];
    assert_eq!(rendered["body"], "*4711* is your verification code. For your security, do not share this code.");
    assert_eq!(rendered["footer"], "This code expires in 5 minutes.");
    assert_eq!(rendered["buttons"][0]["url"], "https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp4711");
}

/// Templates that other tools created at Meta.
#[tokio::test]
async fn template_that_cannot_be_filled_is_refused_with_a_reason() {
    let (app, _) = connected().await;
    let body = json!({"type": "BODY", "text": "Good morning."});
    for (at, (part, reason)) in [
        (json!({"type": "BUTTONS", "buttons": [{"type": "MPM", "text": "View items"}]}), "products"),
        (json!({"type": "CAROUSEL", "cards": []}), "carousels"),
        (json!({"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Sale"}}), "limited-time offers"),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("foreign_{at}");
        let template = json!({"name": name, "language": "en_US", "category": "MARKETING", "components": [body, part]});
        let created = app.graph_call(&format!("/{}/message_templates", emulator::WABA_ID), &template).await;
        assert!(created["id"].is_string(), "{created}");
        app.forward(domain::Span::from_secs(1)).await;
        sync(&app).await;
        let id = synced(&app, &name, "en_US").await;
        let refused = send(&app, &id, &json!({})).await;
        assert_eq!((refused.status, detail(&refused).1), (422, "unsupported_template"), "{part}: {}", refused.body);
        assert!(refused.body["message"].as_str().unwrap().contains(reason), "{}", refused.body);
        if part["type"] != "BUTTONS" {
            let draft =
                json!({"name": "mine", "language_code": "en_US", "category": "MARKETING", "components": [body, part]});
            let refused = app.post(TEMPLATES, json!({ "template": draft })).await;
            assert_eq!((refused.status, detail(&refused).0), (422, "/template/components/1/type"), "{part}");
        }
    }
}
