//! Webhook parsing and signatures, over all fixtures.

use crate::fixtures;
use gateways::whatsapp::{
    signature::{self, SignatureError},
    webhook::{self, Delivery, InboundMessage, Item, Malformed, Status, StatusUpdate},
};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::HashSet;

fn parse(file: &str) -> Delivery {
    webhook::parse(fixtures::load(file).to_string().as_bytes()).unwrap()
}

fn raw(file: &str) -> Result<Delivery, Malformed> {
    webhook::parse(&fixtures::bytes(&fixtures::load(file)))
}

fn messages(delivery: &Delivery) -> Vec<&InboundMessage> {
    delivery
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Message(message) => Some(message),
            _ => None,
        })
        .collect()
}

fn statuses(delivery: &Delivery) -> Vec<&StatusUpdate> {
    delivery
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Status(status) => Some(status),
            _ => None,
        })
        .collect()
}

fn only_message(file: &str) -> InboundMessage {
    let delivery = parse(file);
    assert_eq!(messages(&delivery).len(), 1, "{file}");
    messages(&delivery)[0].clone()
}

#[test]
fn webhook_fixtures_have_the_indexed_messages_and_statuses() {
    let rows = fixtures::of_kind("webhook");
    assert!(rows.len() > 100);
    for row in rows {
        let file = row["file"].as_str().unwrap();
        let delivery = parse(file);
        let distinct_messages: HashSet<_> = messages(&delivery)
            .iter()
            .map(|message| (message.phone_number_id.clone(), message.wamid.clone()))
            .collect();
        let distinct_statuses: HashSet<_> = statuses(&delivery)
            .iter()
            .map(|status| (&status.wamid, status.status.as_str(), &status.recipient))
            .collect();
        // The parser cannot tell foreign numbers; only the database can.
        let foreign = usize::from(file == "fu-009-unknown-phone-number.json");
        let expected = |key: &str| row[key].as_u64().unwrap_or(0) as usize;
        assert_eq!(distinct_messages.len(), expected("messages") + foreign, "{file}");
        assert_eq!(distinct_statuses.len(), expected("statuses"), "{file}");
        let dropped = usize::from(file == "ba-008-one-bad-among-good.json");
        assert_eq!(delivery.malformed, dropped, "{file}");
    }
}

#[test]
fn raw_fixtures_are_accepted_or_refused_as_indexed() {
    for row in fixtures::of_kind("raw") {
        let file = row["file"].as_str().unwrap();
        let status = if raw(file).is_ok() { 200 } else { 400 };
        assert_eq!(row["expected_status"], status, "{file}");
    }
}

#[test]
fn malformed_bodies_keep_their_readable_parts() {
    for (file, messages_left, dropped) in [
        ("mf-004-no-entry.json", 0, 0),
        ("mf-005-entry-not-array.json", 0, 1),
        ("mf-006-message-without-id.json", 0, 1),
        ("mf-007-message-without-type.json", 1, 0),
        ("mf-008-text-without-text.json", 1, 0),
        ("mf-009-numeric-timestamp.json", 1, 0),
        ("mf-010-bad-timestamp.json", 1, 0),
        ("mf-011-no-metadata.json", 0, 1),
        ("mf-013-duplicate-keys.json", 0, 0),
        ("mf-014-lone-surrogate.json", 1, 0),
        ("mf-015-nul-character.json", 1, 0),
        ("mf-017-null-everything.json", 0, 1),
        ("mf-019-wrong-types.json", 0, 2),
        ("mf-020-bom.json", 1, 0),
    ] {
        let delivery = raw(file).unwrap();
        assert_eq!(messages(&delivery).len(), messages_left, "{file}");
        assert_eq!(delivery.malformed, dropped, "{file}");
    }
    let only = |file: &str| messages(&raw(file).unwrap())[0].clone();
    assert_eq!(only("mf-007-message-without-type.json").kind, "unknown");
    assert_eq!(only("mf-008-text-without-text.json").kind, "unknown");
    assert_eq!(only("mf-008-text-without-text.json").text, None);
    assert_eq!(only("mf-009-numeric-timestamp.json").timestamp.unwrap().secs(), 1_790_000_505);
    assert_eq!(only("mf-010-bad-timestamp.json").timestamp, None);
    assert_eq!(only("mf-014-lone-surrogate.json").text.as_deref(), Some("\u{fffd}"));
    let nul = only("mf-015-nul-character.json");
    assert_eq!(nul.text.as_deref(), Some("ab"));
    assert!(!nul.raw.to_string().contains("u0000"));
}

#[test]
fn all_fields_of_a_message_are_read() {
    let message = only_message("in-002-text-reply.json");
    assert_eq!(message.phone_number_id, "100000000000001");
    assert_eq!(message.display_phone_number.as_deref(), Some("15550001111"));
    assert_eq!(message.waba_id.as_deref(), Some("200000000000001"));
    assert_eq!(message.from.as_deref(), Some("5511999990001"));
    assert_eq!(message.user_id.as_deref(), Some("BR.1009000000000001"));
    assert_eq!(message.profile_name.as_deref(), Some("Ana Souza"));
    assert_eq!(message.timestamp.unwrap().secs(), 1_790_000_002);
    assert_eq!(message.kind, "text");
    assert_eq!(message.text.as_deref(), Some("Sim, esse mesmo"));
    assert_eq!(message.context_id.as_deref(), Some("wamid.HBgNNTUxMTk5OTk5MDAwMRUCABEYEjI4RDRBRTYyNERBQzcwOTk2RgA="));
    assert_eq!(message.raw["type"], "text");
    let hidden = only_message("in-034-bsuid-only.json");
    assert_eq!((hidden.from, hidden.username.as_deref()), (None, Some("caro.mx")));
    let old = only_message("in-042-pre-bsuid.json");
    assert!(old.from.is_some() && old.user_id.is_none());
    assert!(only_message("in-037-group-text.json").group_id.is_some());
}

#[test]
fn each_message_type_gives_its_text() {
    for (file, kind, text) in [
        ("in-001-text.json", "text", Some("Oi! Vocês abrem no sábado? 🙂")),
        ("in-012-sticker.json", "sticker", None),
        ("in-017-reaction.json", "reaction", Some("❤\u{fe0f}")),
        ("in-018-reaction-removed.json", "reaction", None),
        ("in-019-template-quick-reply.json", "button", Some("Confirmar")),
        ("in-020-button-reply.json", "interactive", Some("Falar com humano")),
        ("in-021-list-reply.json", "interactive", Some("Troca")),
        (
            "in-022-flow-reply.json",
            "interactive",
            Some(r#"{"flow_token":"tok-1","email":"ana@example.com","rating":5}"#),
        ),
        ("in-024-address-reply.json", "interactive", Some("Rua A, 1")),
        ("in-025-call-permission-reply.json", "interactive", None),
        ("in-026-order.json", "order", Some("pode entregar hoje?")),
        ("in-030-unsupported.json", "unsupported", None),
        ("in-031-unknown-with-errors.json", "unknown", None),
        ("in-032-edit.json", "edit", Some("Oi! Vocês abrem no domingo?")),
        ("in-033-revoke.json", "revoke", None),
        ("in-035-media-error.json", "image", None),
        ("in-036-request-welcome.json", "request_welcome", None),
        ("in-039-empty-text.json", "text", Some("")),
        ("fu-001-unknown-type.json", "unknown", None),
        ("fu-004-unknown-interactive.json", "interactive", None),
    ] {
        let message = only_message(file);
        assert_eq!((message.kind.as_str(), message.text.as_deref()), (kind, text), "{file}");
    }
    assert!(only_message("in-007-image.json").text.is_some());
}

#[test]
fn contacts_are_matched_by_id_not_by_position() {
    let mut body = fixtures::load("ba-002-two-users.json");
    let contacts = body.pointer_mut("/entry/0/changes/0/value/contacts").unwrap();
    contacts.as_array_mut().unwrap().reverse();
    let delivery = webhook::parse(body.to_string().as_bytes()).unwrap();
    let names: Vec<_> = messages(&delivery)
        .iter()
        .map(|message| (message.from.as_deref().unwrap(), message.profile_name.as_deref().unwrap()))
        .collect();
    assert_eq!(names, [("5511999990001", "Ana Souza"), ("15557770002", "Bob")]);
}

#[test]
fn delivery_of_more_items_than_meta_sends_is_refused() {
    let delivery = |changes: usize| format!(r#"{{"entry":[{{"changes":[{}{{}}]}}]}}"#, "{},".repeat(changes - 1));
    assert_eq!(webhook::parse(delivery(50_000).as_bytes()).unwrap().items.len(), 50_000);
    assert_eq!(webhook::parse(delivery(50_001).as_bytes()), Err(Malformed::TooManyValues));
}

#[test]
fn all_fields_of_a_status_are_read() {
    let failed = parse("st-005-failed-131047.json");
    let status = statuses(&failed)[0];
    let error = status.error.as_ref().unwrap();
    assert_eq!((&status.status, error.code), (&Status::Failed, 131_047));
    assert_eq!(error.title.as_deref(), Some("Re-engagement message"));
    assert!(error.details.as_deref().unwrap().starts_with("Message failed to send"));
    assert_eq!(status.at.unwrap().secs(), 1_790_000_106);
    assert_eq!(status.recipient.as_deref(), Some("5511999990001"));
    assert_eq!(status.recipient_user_id.as_deref(), Some("BR.1009000000000001"));
    assert!(statuses(&parse("st-012-opaque.json"))[0].opaque.is_some());
    let unknown = parse("fu-003-unknown-status.json");
    assert_eq!(statuses(&unknown)[0].status, Status::Other(String::from("teleported")));
    let hidden = parse("st-015-bsuid-only.json");
    assert!(statuses(&hidden)[0].recipient.is_none());
    assert!(statuses(&hidden)[0].recipient_user_id.is_some());
    let group = parse("st-019-group-statuses.json");
    let people: Vec<_> = statuses(&group).iter().map(|s| s.recipient.as_deref().unwrap()).collect();
    assert_eq!(people, ["5511999990001", "15557770002"]);
}

#[test]
fn other_changes_are_kept_raw() {
    for (file, field, object) in [
        ("ac-001-template-approved.json", "message_template_status_update", "whatsapp_business_account"),
        ("ac-020-value-errors.json", "messages", "whatsapp_business_account"),
        ("fu-002-unknown-field.json", "quantum_events", "whatsapp_business_account"),
        ("fu-006-other-object.json", "feed", "page"),
    ] {
        let delivery = parse(file);
        let [Item::Other { field: f, object: o, raw, .. }] = delivery.items.as_slice() else {
            panic!("{file}: {delivery:?}")
        };
        assert_eq!((f.as_str(), o.as_str()), (field, object), "{file}");
        assert_eq!(raw["field"], field);
    }
}

fn echoes(value: Value) -> Delivery {
    let changes = json!([{"field": "smb_message_echoes", "value": value}]);
    let body = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]});
    webhook::parse(body.to_string().as_bytes()).unwrap()
}

#[test]
fn echo_is_read_as_a_message_to_its_contact() {
    let delivery = parse("ac-019-smb-echo.json");
    let [Item::Echo(echo)] = delivery.items.as_slice() else { panic!("{delivery:?}") };
    assert_eq!((echo.from.as_deref(), echo.user_id.as_deref()), (Some("5511999990001"), Some("BR.1009000000000001")));
    assert_eq!((echo.kind.as_str(), echo.text.as_deref()), ("text", Some("respondi pelo celular")));
    assert_eq!(echo.phone_number_id, "100000000000001");

    let metadata = json!({"phone_number_id": "7"});
    let hidden = json!({"from": "1", "to_user_id": "BR.1", "id": "w", "type": "image", "image": {"caption": "c"}});
    let delivery = echoes(json!({"metadata": metadata, "message_echoes": [hidden]}));
    let [Item::Echo(echo)] = delivery.items.as_slice() else { panic!("{delivery:?}") };
    assert_eq!((&echo.from, echo.user_id.as_deref(), echo.text.as_deref()), (&None, Some("BR.1"), Some("c")));
}

#[test]
fn unreadable_echoes_are_counted_or_kept_raw() {
    let metadata = json!({"phone_number_id": "7"});
    for bad in [json!({"to": "1"}), json!({"id": "w"}), json!({"id": "w", "from": "1"}), json!(null), json!("x")] {
        let good = json!({"to": "1", "id": "g", "type": "text", "text": {"body": "x"}});
        let delivery = echoes(json!({"metadata": metadata, "message_echoes": [bad, good]}));
        assert_eq!((delivery.items.len(), delivery.malformed), (1, 1), "{bad}");
    }
    let unnumbered = echoes(json!({"message_echoes": [{"to": "1", "id": "w"}]}));
    assert_eq!((unnumbered.items.len(), unnumbered.malformed), (0, 1));
    let other = echoes(json!({"metadata": metadata, "something_new": []}));
    assert!(matches!(other.items.as_slice(), [Item::Other { .. }]), "{other:?}");
}

#[test]
fn names_of_the_address_book_are_read() {
    let entry = |action: &str, contact: Value| json!({"type": "contact", "action": action, "contact": contact});
    let list = json!([
        entry("add", json!({"full_name": "Pablo Morales", "first_name": "Pablo", "phone_number": "16505551234"})),
        entry("add", json!({"first_name": "Eva", "phone_number": "16505551235"})),
        entry("add", json!({"full_name": " ", "phone_number": "16505551236"})),
        entry("remove", json!({"phone_number": "16505551234"})),
        entry("add", json!({"full_name": "No number"})),
        {"type": "label", "action": "add"},
        null,
    ]);
    let value = json!({"metadata": {"phone_number_id": "7"}, "state_sync": list});
    let changes = json!([{"field": "smb_app_state_sync", "value": value}]);
    let body = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]});
    let delivery = webhook::parse(body.to_string().as_bytes()).unwrap();
    let name = |item: &Item| match item {
        Item::SavedContact(contact) => format!("{} {}", contact.number, contact.name),
        other => panic!("{other:?}"),
    };
    let names: Vec<_> = delivery.items.iter().map(name).collect();
    assert_eq!(names, ["16505551234 Pablo Morales", "16505551235 Eva"]);
    assert_eq!(delivery.malformed, 2);
}

#[test]
fn damaged_bodies_do_not_panic_the_parser() {
    let body = fixtures::load("ba-010-messages-and-statuses-same-value.json").to_string();
    for end in 0..body.len() {
        webhook::parse(&body.as_bytes()[..end]).unwrap_err();
    }
    for at in 0..body.len() {
        for byte in [b'"', b'\\', b'[', b'0', 0xff] {
            let mut damaged = body.clone().into_bytes();
            damaged[at] = byte;
            webhook::parse(&damaged).ok();
        }
    }
}

#[test]
fn signatures_match_the_test_vectors() {
    let vectors = fixtures::load("vx-001-signatures.json");
    let secret = SecretString::from(vectors["app_secret"].as_str().unwrap());
    let secrets = [SecretString::from("another"), secret.clone()];
    for vector in vectors["vectors"].as_array().unwrap() {
        let body = fixtures::bytes(vector);
        let header = vector["x_hub_signature_256"].as_str();
        let expected = match (vector["valid"].as_bool().unwrap(), header) {
            (true, _) => Ok(()),
            (false, None) => Err(SignatureError::Missing),
            (false, Some(_)) => Err(SignatureError::Wrong),
        };
        assert_eq!(signature::verify(&secrets, header, &body), expected, "{}", vector["name"]);
        if expected.is_ok() {
            assert_eq!(signature::sign(&secret, &body), header.unwrap().to_lowercase());
        }
    }
}
