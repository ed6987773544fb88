//! Messages that WhatsApp would refuse are refused with the client's field names, and not stored.

use super::{details, send, talking};
use domain::Span;
use serde_json::{Value, json};

#[tokio::test]
async fn every_message_type_reports_its_invalid_fields() {
    let (app, path) = talking().await;
    let before = app.messages().await.len();
    let of = |kind: &str, fields: Value| {
        let mut message = json!({ "message_type": kind });
        message.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        message
    };
    let button = |id: &str, title: &str| json!({"id": id, "title": title});
    let rows = |count: usize| (0..count).map(|at| json!({"id": format!("r{at}"), "title": "t"})).collect::<Vec<_>>();
    let long = "x".repeat(4_097);
    let params: Vec<String> = (0..61).map(|at| at.to_string()).collect();
    for (message, expected) in [
        (of("text", json!({})), &["/message/content blank"][..]),
        (of("text", json!({"content": "  "})), &["/message/content blank"]),
        (of("text", json!({"content": long})), &["/message/content too_long"]),
        (of("poll", json!({"content": "x"})), &["/message/message_type unknown_value"]),
        (of("image", json!({"content": "x"})), &["/message/media_url blank"]),
        (of("image", json!({"media_url": "https://a.example/x", "media_id": "1"})), &["/message/media_url ambiguous"]),
        (of("image", json!({"media_url": "ftp://a.example/x"})), &["/message/media_url invalid_url"]),
        (of("image", json!({"media_url": "https://169.254.169.254/latest"})), &["/message/media_url invalid_url"]),
        (of("image", json!({"media_url": "http://localhost:8080/x"})), &["/message/media_url invalid_url"]),
        (of("image", json!({"media_url": "https://[::ffff:10.0.0.1]/x"})), &["/message/media_url invalid_url"]),
        (of("image", json!({"media_url": "https://u:p@a.example/x"})), &["/message/media_url invalid_url"]),
        (of("image", json!({"media_file": "x.png"})), &["/message/media_file not_a_file"]),
        (of("image", json!({"media_file": ""})), &["/message/media_url blank"]),
        (of("video", json!({"media_id": "1", "caption": "x".repeat(1_025)})), &["/message/caption too_long"]),
        (of("audio", json!({"media_id": "1", "caption": "x"})), &["/message/caption invalid"]),
        (of("document", json!({"media_id": "1", "filename": "x".repeat(241)})), &["/message/filename too_long"]),
        (of("location", json!({})), &["/message/latitude blank", "/message/longitude blank"]),
        (of("location", json!({"latitude": 90.5, "longitude": 0})), &["/message/latitude invalid"]),
        (of("location", json!({"latitude": "1", "longitude": 0})), &["/message/latitude wrong_type"]),
        (of("contacts", json!({"content": "x"})), &["/message/contacts blank"]),
        (of("contacts", json!({"contacts": []})), &["/message/contacts too_few"]),
        (
            of("contacts", json!({"contacts": [{"formatted_name": "A", "first_name": "A"}, {"first_name": "B"}]})),
            &["/message/contacts/1/formatted_name blank", "/message/contacts/1/first_name blank"],
        ),
        (
            of("contacts", json!({"contacts": [{"name": {"formatted_name": "A"}}]})),
            &["/message/contacts/0/name/first_name blank"],
        ),
        (of("interactive", json!({"content": "x"})), &["/message/interactive_type blank"]),
        (of("interactive", json!({"interactive_type": "button", "body_text": "x"})), &["/message/buttons blank"]),
        (of("interactive", json!({"buttons": [button("a", "A")]})), &["/message/body_text blank"]),
        (
            of(
                "interactive",
                json!({"body_text": "x", "buttons": [button("1", "1"), button("2", "2"), button("3", "3"), button("4", "4")]}),
            ),
            &["/message/buttons invalid"],
        ),
        (
            of("interactive", json!({"body_text": "x", "buttons": [button("a", "A"), button("a", &"x".repeat(21))]})),
            &["/message/buttons/1/title invalid", "/message/buttons/1/id invalid"],
        ),
        (
            of("interactive", json!({"body_text": "x".repeat(1_025), "buttons": [button("a", "A")]})),
            &["/message/body_text invalid"],
        ),
        (
            of("interactive", json!({"body_text": "x", "list_button_text": "b", "sections": [{"rows": rows(11)}]})),
            &["/message/sections invalid"],
        ),
        (
            of("interactive", json!({"body_text": "x", "sections": [{"rows": rows(1)}, {"rows": []}]})),
            &[
                "/message/list_button_text blank",
                "/message/sections/0/title blank",
                "/message/sections/1/title blank",
                "/message/sections/1/rows blank",
            ],
        ),
        (of("template", json!({"content": "x"})), &["/message/template_name blank"]),
        (
            of("template", json!({"template_name": "t", "template_params": ["a\nb", "", "ok"]})),
            &["/message/template_params/0 invalid", "/message/template_params/1 blank"],
        ),
        (
            of("template", json!({"template_name": "t", "template_params": {"body": {"name": true}}})),
            &["/message/template_params/body/name wrong_type"],
        ),
        (
            of("template", json!({"template_name": "t", "template_params": params})),
            &["/message/template_params too_many"],
        ),
        (of("template", json!({"template_name": "t", "header_type": "image"})), &["/message/header_params blank"]),
        (
            of("template", json!({"template_name": "t", "header_type": "image", "header_params": "http://10.0.0.1/x"})),
            &["/message/header_params invalid_url"],
        ),
        (
            of("template", json!({"template_name": "t", "header_type": "audio", "header_params": "x"})),
            &["/message/header_type unknown_value"],
        ),
        (
            of("reaction", json!({"content": "x"})),
            &["/message/reacted_to_message_id blank", "/message/reaction_emoji blank"],
        ),
        (
            of("reaction", json!({"reaction_emoji": "👍", "reacted_to_message_id": "wamid.absent"})),
            &["/message/reacted_to_message_id unknown_message"],
        ),
    ] {
        let shown = message.to_string();
        let answer = send(&app, &path, message).await;
        let mut found = details(&answer);
        let mut expected: Vec<String> = expected.iter().map(|&one| one.to_owned()).collect();
        found.sort();
        expected.sort();
        assert_eq!((answer.status, found), (422, expected), "{} {}", &shown[..shown.len().min(200)], answer.body);
    }
    assert_eq!(app.messages().await.len(), before, "nothing was stored");
}

#[tokio::test]
async fn reaction_needs_a_delivered_message_of_this_conversation() {
    let (app, path) = talking().await;
    app.run_until_idle().await;
    let react = async |target: &Value| {
        let message = json!({"message_type": "reaction", "reaction_emoji": "👍", "reacted_to_message_id": target});
        details(&send(&app, &path, message).await)
    };
    let pending = send(&app, &path, json!({"content": "not sent yet"})).await.id();
    assert_eq!(react(&json!(pending)).await, ["/message/reacted_to_message_id not_reactable"]);
    app.run_until_idle().await;
    assert!(react(&json!(pending)).await.is_empty());
    app.run_until_idle().await;
    let reaction = app.get(&path).await.data()[0].clone();
    assert_eq!(reaction["message_type"], "reaction");
    assert_eq!(react(&reaction["id"]).await, ["/message/reacted_to_message_id not_reactable"]);
    let other = app.app.operator().create_project("Other").await.unwrap();
    let (_, key) = app.app.operator().create_key(&other.to_string()).await.unwrap();
    let answer = app.call_as(Some(&key), "GET".parse().unwrap(), &path, None).await;
    assert_eq!(answer.status, 404);
    app.forward(Span::from_hours(24 * 31)).await;
    app.contact_sends(testkit::ANA, "still there?").await;
    assert_eq!(react(&json!(pending)).await, ["/message/reacted_to_message_id not_reactable"], "after 30 days");
}

#[tokio::test]
async fn message_of_another_conversation_is_not_found() {
    let (app, _, _) = super::standalone::connected().await;
    app.contact_sends(testkit::ANA, "hi").await;
    app.forward(Span::from_secs(1)).await;
    app.contact_sends("+5511999990002", "hi from Bob").await;
    let list = app.get("/api/v1/whatsapp_conversations").await;
    let path = |at: usize| {
        format!("/api/v1/whatsapp_conversations/{}/whatsapp_messages", list.data()[at]["id"].as_str().unwrap())
    };
    let theirs = app.get(&path(1)).await.data()[0].clone();
    for target in ["id", "whatsapp_message_id"] {
        let message =
            json!({"message_type": "reaction", "reaction_emoji": "x", "reacted_to_message_id": theirs[target]});
        let refused = details(&send(&app, &path(0), message.clone()).await);
        assert_eq!(refused, ["/message/reacted_to_message_id unknown_message"], "{target}");
        assert_eq!(send(&app, &path(1), message).await.status, 201);
    }
}
