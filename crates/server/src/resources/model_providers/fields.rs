//! Checks of a model provider's fields.

use crate::{ApiError, AppState, api::Problems};
use domain::ids::{ModelProviderId, ProjectId};
use gateways::egress::FailureCode;
use serde_json::Value;
use store::{
    Tx,
    model_providers::{self, ModelProviderRow},
};
use url::Url;

/// Most providers of a project.
pub(in crate::resources) const MOST: usize = 20;
const BASE_URL: &str = "/model_provider/base_url";
const NO_ADDRESS: &str = "this kind of provider has no address of its own";

/// Reports problems that no schema can describe and that need no database.
pub(super) fn check(body: &Value, problems: &mut Problems) {
    let Some(fields) = body.get("model_provider") else { return };
    if let Some(url) = fields["base_url"].as_str()
        && let Err(why) = check_url(url)
    {
        problems.add(BASE_URL, "invalid_url", why);
    }
    if let Some(key) = fields["api_key"].as_str()
        && !key.trim().bytes().all(|byte| (33..127).contains(&byte))
    {
        problems.add("/model_provider/api_key", "invalid_key", "a key consists of visible ASCII characters");
    }
    if fields["kind"].as_str().is_some_and(needs_url) && fields["base_url"].is_null() {
        problems.add(BASE_URL, "required", NO_ADDRESS);
    }
}

fn needs_url(kind: &str) -> bool {
    matches!(kind, "AzureOpenAI" | "OpenAICompatible")
}

fn check_url(text: &str) -> Result<(), &'static str> {
    let url = Url::parse(text.trim()).map_err(|_| "must be an absolute URL")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("must be an http or https URL");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user or password; set api_key");
    }
    // Paths of requests are added at the end.
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must have no query and no fragment");
    }
    Ok(())
}

/// Fails if an address may not be reached. One that does not resolve now may later: each call
/// checks again.
pub(super) async fn check_address(ctx: &AppState, url: &str) -> Result<(), ApiError> {
    match ctx.egress.check(url).await {
        Err(refusal) if matches!(refusal.code, FailureCode::BlockedAddress | FailureCode::MissingUrl) => {
            Err(ApiError::invalid(BASE_URL, "blocked_address", refusal.message))
        }
        _ => Ok(()),
    }
}

/// Fails if another provider of the project has the name.
pub(super) async fn check_name(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: ModelProviderId,
    name: &str,
) -> Result<(), ApiError> {
    match model_providers::named(tx, project, name).await? {
        Some(other) if other.id != id => {
            Err(ApiError::invalid("/model_provider/name", "taken", "has already been taken"))
        }
        _ => Ok(()),
    }
}

/// Fails if a provider gets an address that its kind lacks, or if a stored key would be sent to
/// another address.
pub(super) fn check_move(row: &ModelProviderRow, url: Option<&str>, new_key: bool) -> Result<(), ApiError> {
    if url.is_none() && needs_url(&row.kind) {
        return Err(ApiError::invalid(BASE_URL, "required", NO_ADDRESS));
    }
    if row.base_url.as_deref() != url && row.key_hint.is_some() && !new_key {
        let why = "a stored key is sent to no other address; send api_key too";
        return Err(ApiError::invalid("/model_provider/api_key", "key_required", why));
    }
    Ok(())
}

/// The last four characters of a key of twelve or more; empty for a shorter one.
pub(super) fn hint(key: &str) -> String {
    let chars: Vec<char> = key.chars().collect();
    if chars.len() >= 12 { chars[chars.len() - 4..].iter().collect() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn end_of_a_long_key_is_shown_and_a_short_key_is_hidden() {
        assert_eq!(hint("sk-123456789"), "6789");
        assert_eq!(hint("sk-12345678"), "");
    }

    #[test]
    fn addresses_to_which_no_path_can_be_added_are_refused() {
        assert!(check_url("https://models.example/v1").is_ok());
        for bad in
            ["models", "ftp://a.example", "https://u:p@a.example", "https://a.example/?key=1", "https://a.example/#x"]
        {
            assert!(check_url(bad).is_err(), "{bad}");
        }
    }
}
