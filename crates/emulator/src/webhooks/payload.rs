//! JSON around messages and statuses, in the shape of webhook version `v25`.

use serde_json::{Value, json};

use crate::{users::User, world::World};

/// Envelope of a webhook with one change of one field.
pub(crate) fn envelope(world: &World, field: &str, value: Value, time: Option<u64>) -> Value {
    let mut entry = json!({"id": world.waba_id});
    if let Some(time) = time {
        entry["time"] = json!(time);
    }
    entry["changes"] = json!([{"value": value, "field": field}]);
    json!({"object": "whatsapp_business_account", "entry": [entry]})
}

/// Value of the field `messages`; `list` is `messages` or `statuses`.
pub(crate) fn messages_value(world: &World, number: &str, contacts: Option<Value>, list: &str, item: Value) -> Value {
    let display = world.number(number).map(|number| number.display.as_str());
    let mut value = json!({
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": display, "phone_number_id": number},
    });
    if let Some(contact) = contacts {
        value["contacts"] = json!([contact]);
    }
    value[list] = json!([item]);
    value
}

/// Contact of a contact, without what is hidden from the business.
pub(crate) fn contact(user: &User) -> Value {
    let mut contact = json!({"profile": {"name": user.name}});
    if let Some(username) = &user.username {
        contact["profile"]["username"] = json!(username);
    }
    if let Some(wa_id) = user.shown_wa_id() {
        contact["wa_id"] = json!(wa_id);
    }
    if let Some(user_id) = &user.user_id {
        contact["user_id"] = json!(user_id);
    }
    contact
}
