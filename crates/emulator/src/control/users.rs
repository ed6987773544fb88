//! Contacts: create and change them, mark messages as read.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State as Shared},
};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::{error::ControlError, input::Input};
use crate::{
    driver::Driver,
    messages::{Direction, StatusKind},
    state::State,
    users::{self, Marketing, User},
};

pub(crate) async fn find(
    Shared(driver): Shared<Arc<Driver>>,
    Path(key): Path<String>,
) -> Result<Json<User>, ControlError> {
    let user = driver.with(|state| state.users.find(&key).cloned());
    user.map(Json).ok_or_else(|| ControlError::not_found("user not found"))
}

/// Changes to a contact. An absent field stays; `null` removes the value.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserChanges {
    #[serde(default, deserialize_with = "given")]
    wa_id: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    user_id: Option<Option<String>>,
    name: Option<String>,
    #[serde(default, deserialize_with = "given")]
    username: Option<Option<String>>,
    hide_phone: Option<bool>,
    on_whatsapp: Option<bool>,
    online: Option<bool>,
    blocked: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    auto_read_ms: Option<Option<u64>>,
    marketing: Option<Marketing>,
    dial_aliases: Option<Vec<String>>,
}

fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl UserChanges {
    fn apply(self, user: &mut User) -> Result<(), ControlError> {
        if let Some(wa_id) = self.wa_id {
            let number = wa_id.map(|number| {
                let digits = users::digits(&number);
                digits.ok_or_else(|| ControlError::bad_request("wa_id is not a phone number"))
            });
            user.wa_id = number.transpose()?;
        }
        user.user_id = self.user_id.unwrap_or(user.user_id.take());
        user.username = self.username.unwrap_or(user.username.take());
        user.auto_read_ms = self.auto_read_ms.unwrap_or(user.auto_read_ms);
        user.hide_phone = self.hide_phone.unwrap_or(user.hide_phone);
        user.on_whatsapp = self.on_whatsapp.unwrap_or(user.on_whatsapp);
        user.online = self.online.unwrap_or(user.online);
        user.blocked = self.blocked.unwrap_or(user.blocked);
        user.marketing = self.marketing.unwrap_or(user.marketing);
        if let Some(name) = self.name {
            user.name = name;
        }
        if let Some(aliases) = self.dial_aliases {
            let digits = aliases.iter().map(|alias| users::digits(alias)).collect::<Option<_>>();
            user.dial_aliases =
                digits.ok_or_else(|| ControlError::bad_request("dial_aliases must be phone numbers"))?;
        }
        if user.wa_id.is_none() && user.user_id.is_none() {
            return Err(ControlError::bad_request("a user needs a wa_id or a user_id"));
        }
        Ok(())
    }
}

/// Creates or changes a contact. Messages that waited for the phone arrive when it comes online.
pub(crate) async fn put(
    Shared(driver): Shared<Arc<Driver>>,
    Path(key): Path<String>,
    Input(changes): Input<UserChanges>,
) -> Result<Json<User>, ControlError> {
    let user = driver.with(|state| put_user(state, key, changes))?;
    driver.settle().await;
    Ok(Json(user))
}

fn put_user(state: &mut State, key: String, changes: UserChanges) -> Result<User, ControlError> {
    let mut user = match state.users.find(&key) {
        Some(user) => user.clone(),
        None => {
            let wa_id = users::digits(&key);
            User { wa_id, ..User::new(key.clone(), key) }
        }
    };
    let was_online = user.online;
    changes.apply(&mut user)?;
    if let Some(other) = state.users.conflicting(&user) {
        return Err(ControlError::conflict(format!("{} already has this number or id", other.key)));
    }
    let comes_online = user.online && !was_online;
    state.users.put(user.clone());
    if comes_online {
        state.deliver_waiting(&user.key);
    }
    Ok(user)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadUpTo {
    message_id: String,
}

/// Marks a message and all earlier ones of its chat as read by the contact.
pub(crate) async fn read(
    Shared(driver): Shared<Arc<Driver>>,
    Path(key): Path<String>,
    Input(read): Input<ReadUpTo>,
) -> Result<Json<Value>, ControlError> {
    let deliveries = driver.with(|state| read_up_to(state, &key, &read.message_id))?;
    driver.settle().await;
    Ok(Json(json!({"deliveries": deliveries})))
}

fn read_up_to(state: &mut State, key: &str, id: &str) -> Result<Vec<u64>, ControlError> {
    let user = state.users.find(key).map(|user| user.key.clone());
    let user = user.ok_or_else(|| ControlError::not_found("user not found"))?;
    let message = state.chats.message(id);
    let message = message.filter(|m| m.direction == Direction::Out && m.user == user);
    let message = message.ok_or_else(|| ControlError::not_found("no message to this user has this id"))?;
    if !message.has(StatusKind::Delivered) {
        let problem = "the message has not reached the phone yet; advance the clock";
        return Err(ControlError::conflict(problem));
    }
    let mut deliveries = Vec::new();
    for id in state.chats.up_to(id) {
        let unread = state
            .chats
            .message(&id)
            .is_some_and(|message| message.has(StatusKind::Delivered) && !message.has(StatusKind::Read));
        if unread {
            deliveries.extend(state.report(&id, StatusKind::Read, None));
        }
    }
    Ok(deliveries)
}
