//! Buttons of a template at a send: which of them need a component, and what is in it.
//!
//! Sources: Meta's pages on template components, catalog, multi-product, flow and authentication
//! templates; a button without its component is refused with 131008 or 131009.

use super::{
    filling::{Filling, plain},
    shape::{Shape, is, text, variables},
};
use crate::Problem;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const URLS: &str = "button_url_params";
const PAYLOADS: &str = "button_quick_reply_payloads";
const CODES: &str = "button_copy_code_params";

/// Meta's value for flows whose answers need no token of the sender.
const NO_FLOW_TOKEN: &str = "unused";

/// The value that a button needs at a send.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Nothing,
    /// The end of the link.
    Link,
    /// A one-time password, which the body has too; most callers give it once.
    Password,
    /// The code to copy.
    Code,
    /// Possibly a payload; without one WhatsApp returns the text.
    Reply,
    Flow,
    Catalog,
    /// Products, for which this API has no field.
    Products,
    Unknown,
}

fn need(button: &Value) -> Need {
    let variable = !variables(text(button, "url")).is_empty();
    match text(button, "type").to_ascii_uppercase().as_str() {
        "OTP" => Need::Password,
        "URL" if text(button, "url").contains("otp_type=") => Need::Password,
        "URL" if variable => Need::Link,
        "URL" | "PHONE_NUMBER" | "VOICE_CALL" => Need::Nothing,
        "COPY_CODE" => Need::Code,
        "QUICK_REPLY" => Need::Reply,
        "FLOW" => Need::Flow,
        "CATALOG" => Need::Catalog,
        "MPM" | "SPM" => Need::Products,
        _ => Need::Unknown,
    }
}

/// Adds a component for each button that needs one. `body` has the values of the body's variables.
pub(super) fn fill(
    shape: Shape<'_>,
    filling: &Filling,
    body: &[(String, String)],
    components: &mut Vec<Value>,
    problems: &mut Vec<Problem>,
) {
    let list = shape.buttons();
    for (place, button) in list.iter().enumerate() {
        let index = place.to_string();
        let missing = |key: &str, why: &str| Problem::new(format!("/{key}/{index}"), "missing_parameter", why);
        let refused = |why: String| Problem::new("/template", "unsupported_template", why);
        let (sub_type, parameter) = match need(button) {
            Need::Nothing => continue,
            need @ (Need::Link | Need::Password) => {
                let password = body.first().map(|(_, value)| value).filter(|_| need == Need::Password);
                let Some(value) = filling.button_urls.get(&index).or(password) else {
                    problems.push(missing(URLS, "must be the end of the button's link"));
                    continue;
                };
                plain(value, &format!("/{URLS}/{index}"), problems);
                ("url", Some(json!({"type": "text", "text": value})))
            }
            Need::Code => {
                let Some(code) = filling.button_codes.get(&index) else {
                    problems.push(missing(CODES, "must be the code to copy"));
                    continue;
                };
                plain(code, &format!("/{CODES}/{index}"), problems);
                ("copy_code", Some(json!({"type": "coupon_code", "coupon_code": code})))
            }
            Need::Reply => match filling.button_payloads.get(&index) {
                Some(payload) => ("quick_reply", Some(json!({"type": "payload", "payload": payload}))),
                None => continue,
            },
            Need::Flow => ("flow", Some(json!({"type": "action", "action": {"flow_token": NO_FLOW_TOKEN}}))),
            // Without a product WhatsApp shows the first one of the catalogue.
            Need::Catalog => ("catalog", None),
            Need::Products => {
                let why = "templates that show chosen products cannot be sent: there is no field for the products";
                problems.push(refused(why.into()));
                continue;
            }
            Need::Unknown => {
                problems.push(refused(format!("buttons of type {} are not supported", text(button, "type"))));
                continue;
            }
        };
        let mut component = json!({"type": "button", "sub_type": sub_type, "index": index});
        if let Some(parameter) = parameter {
            component["parameters"] = json!([parameter]);
        }
        components.push(component);
    }
    let link = |button: &Value| matches!(need(button), Need::Link | Need::Password);
    unknown(URLS, list, &filling.button_urls, link, problems);
    unknown(PAYLOADS, list, &filling.button_payloads, |button| is(button, "type", "QUICK_REPLY"), problems);
    unknown(CODES, list, &filling.button_codes, |button| is(button, "type", "COPY_CODE"), problems);
}

/// Reports positions without a button of the kind.
fn unknown(
    key: &str,
    list: &[Value],
    given: &BTreeMap<String, String>,
    fits: impl Fn(&Value) -> bool,
    problems: &mut Vec<Problem>,
) {
    for index in given.keys() {
        let button = index.parse::<usize>().ok().and_then(|place| list.get(place));
        if !button.is_some_and(&fits) {
            let why = "the template has no such button there; positions begin with 0";
            problems.push(Problem::new(format!("/{key}/{index}"), "unknown_button", why));
        }
    }
}
