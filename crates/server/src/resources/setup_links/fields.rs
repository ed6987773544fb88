//! Fields of a setup link in request bodies, and their checks.

use super::view::{SetupConnectionType, ThemeConfig};
use crate::api::{Problems, three_state};
use serde::Deserialize;
use serde_json::{Value, json};
use store::setup_links::SetupLinkRow;
use url::Url;
use utoipa::ToSchema;

const AT: &str = "/setup_link";

/// Settings of a link. Omitted ones keep their value, or get the default.
#[derive(Deserialize, ToSchema, Default)]
pub(super) struct SetupLinkFields {
    /// http or https URL to which the customer returns with a connected number. Gets the parameters
    /// `setup_link_id`, `customer_id`, `whatsapp_config_id`, `phone_number_id` and `status`: `healthy`,
    /// `degraded`, `unhealthy` or `error`, as the health of the config. Null removes it.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<String>, max_length = 2048, format = "uri")]
    success_redirect_url: Option<Option<String>>,
    /// http or https URL to which the customer can return without one. Gets the parameters
    /// `setup_link_id`, `customer_id` and `error`: `cancelled`, `expired` or `revoked`. Null removes it.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<String>, max_length = 2048, format = "uri")]
    failure_redirect_url: Option<Option<String>>,
    /// Must have `dedicated`, which is the default.
    #[schema(value_type = Option<Vec<SetupConnectionType>>, min_items = 1, max_items = 2, nullable = false)]
    allowed_connection_types: Option<Vec<String>>,
    /// Only false: numbers are not provisioned here.
    #[schema(nullable = false)]
    #[expect(dead_code, reason = "the check of the body lets only false pass")]
    provision_phone_number: Option<bool>,
    /// Stored and returned; without effect.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<String>, max_length = 16)]
    phone_number_area_code: Option<Option<String>>,
    /// Stored and returned; without effect.
    #[schema(max_items = 250, nullable = false, default = json!(["US"]))]
    phone_number_country_isos: Option<Vec<String>>,
    /// Colours of the page; null for the default ones.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<ThemeConfig>)]
    theme_config: Option<Option<ThemeConfig>>,
}

impl SetupLinkFields {
    /// Writes the sent fields into a row.
    pub(super) fn apply(&self, row: &mut SetupLinkRow) {
        if let Some(url) = &self.success_redirect_url {
            row.success_redirect_url.clone_from(url);
        }
        if let Some(url) = &self.failure_redirect_url {
            row.failure_redirect_url.clone_from(url);
        }
        if let Some(types) = &self.allowed_connection_types {
            row.allowed_connection_types = json!(types).to_string();
        }
        if let Some(code) = &self.phone_number_area_code {
            row.phone_number_area_code.clone_from(code);
        }
        if let Some(isos) = &self.phone_number_country_isos {
            row.phone_number_country_isos = json!(isos).to_string();
        }
        if let Some(theme) = &self.theme_config {
            row.theme_config = theme.as_ref().map(|theme| json!(theme).to_string());
        }
    }
}

/// Reports problems that no schema can describe.
pub(super) fn check(body: &Value, problems: &mut Problems) {
    let Some(fields) = body.pointer(AT) else { return };
    for name in ["success_redirect_url", "failure_redirect_url"] {
        if let Some(Err(why)) = fields[name].as_str().map(check_url) {
            problems.add(format!("{AT}/{name}"), "invalid_url", why);
        }
    }
    if fields["provision_phone_number"] == true {
        let why = "numbers cannot be bought or provisioned here; the customer connects a number of their own";
        problems.add(format!("{AT}/provision_phone_number"), "not_supported", why);
    }
    if let Some(types) = fields["allowed_connection_types"].as_array()
        && !types.is_empty()
        && types.iter().all(|kind| kind == "coexistence")
    {
        let why = "numbers of the WhatsApp Business app cannot be connected yet; add dedicated";
        problems.add(format!("{AT}/allowed_connection_types"), "not_supported", why);
    }
    let isos = fields["phone_number_country_isos"].as_array().into_iter().flatten();
    if isos.filter_map(Value::as_str).any(|iso| iso.len() != 2) {
        problems.add(format!("{AT}/phone_number_country_isos"), "invalid_format", "must have codes of two letters");
    }
}

/// The page's content policy names the origin of the URL, so the host must have ordinary characters:
/// a semicolon would end the directive.
fn check_url(text: &str) -> Result<(), &'static str> {
    let url = Url::parse(text).map_err(|_| "must be an absolute URL")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("must be an http or https URL");
    }
    let is_ordinary = |c: char| c.is_ascii_alphanumeric() || ".-[]:_".contains(c);
    if !url.host_str().is_some_and(|host| !host.is_empty() && host.chars().all(is_ordinary)) {
        return Err("must have a host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user or password");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_with_an_ordinary_host_are_redirect_urls() {
        for good in [
            "https://app.clinic.example/ok?a=b#c",
            "http://localhost:3000",
            "http://[::1]:80/",
            "https://ñandú.example",
        ] {
            assert_eq!(check_url(good), Ok(()), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "data:text/html,x",
            "/ok",
            "//evil.example",
            "ftp://a.example",
            "https://a;script-src/",
            "https://a',b/",
            "https://user:secret@a.example",
            "https://",
        ] {
            assert!(check_url(bad).is_err(), "{bad}");
        }
    }
}
