//! Texts of authentication templates, which WhatsApp writes itself.
//!
//! Source: Meta's page on authentication templates with a copy-code button.

use serde_json::{Value, json};

/// The components as Meta returns them: with texts, and a link in place of a one-time password.
pub(crate) fn written_by_whatsapp(mut components: Vec<Value>) -> Vec<Value> {
    for component in &mut components {
        match component["type"].as_str().unwrap_or_default() {
            "BODY" if component["text"].is_null() => {
                let advice = if component["add_security_recommendation"] == true {
                    " For your security, do not share this code."
                } else {
                    ""
                };
                component["text"] = json!(format!("*{{{{1}}}}* is your verification code.{advice}"));
            }
            "FOOTER" if component["text"].is_null() => {
                component["text"] =
                    json!(format!("This code expires in {} minutes.", component["code_expiration_minutes"]));
            }
            "BUTTONS" => {
                for button in component["buttons"].as_array_mut().into_iter().flatten() {
                    if button["type"] == "OTP" {
                        let kind = button["otp_type"].as_str().unwrap_or("COPY_CODE").to_owned();
                        button["type"] = json!("URL");
                        button["url"] =
                            json!(format!("https://www.whatsapp.com/otp/code/?otp_type={kind}&code=otp{{{{1}}}}"));
                    }
                }
            }
            _ => {}
        }
    }
    components
}
