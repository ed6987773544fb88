//! `GET /whatsapp_configs/{config_id}/health`: asks Meta about a number and sends nothing
//! (docs/spec/whatsapp-cloud-api.md 2.7).

use crate::{
    ApiError, AppState,
    api::{Time, words},
    auth::ProjectContext,
    found::Found,
};
use axum::Json;
use domain::conversation::ProofFailure;
use gateways::whatsapp::{
    CallError,
    numbers::{Number, TokenInfo},
};
use runtime::number_proof;
use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::time::Duration;
use store::{
    messages,
    secrets::{self, SecretKind},
    transact,
    whatsapp_configs::{self, WhatsappConfigRow},
};
use utoipa::ToSchema;

/// Maximum wait for Meta's answers while a person waits for a page.
const PATIENCE: Duration = Duration::from_secs(5);

/// Permissions that a token needs.
const SCOPES: [&str; 2] = ["whatsapp_business_messaging", "whatsapp_business_management"];

/// Result of a health check.
#[derive(Serialize, ToSchema)]
pub(super) struct WhatsappConfigHealth {
    /// `degraded`: only webhook checks fail; `unhealthy`: the number or messaging fails; `error`:
    /// the check itself failed.
    #[schema(value_type = WhatsappConfigHealthStatus)]
    status: &'static str,
    /// Absent if the check itself failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    checks: Option<WhatsappConfigChecks>,
    timestamp: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<String>,
}

words!(WhatsappConfigHealthStatus = "healthy", "degraded", "unhealthy", "error");

#[derive(Serialize, ToSchema)]
struct WhatsappConfigChecks {
    /// True if the token is valid and can read the number, and the config receives its messages.
    /// `details.proof` is `proved`, `assumed` (until its check is done) or `unproved`.
    phone_number_access: HealthCheck,
    /// True if Meta reports that messages can be sent.
    messaging_health: HealthCheck,
    /// True if an app receives the account's webhooks.
    webhook_subscription: HealthCheck,
    /// True if Meta completed the handshake with the config's verify token, or webhooks of the
    /// number arrive.
    webhook_verified: HealthCheck,
}

#[derive(Serialize, ToSchema, Default)]
struct HealthCheck {
    passed: bool,
    /// Meta's messaging status.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    overall_status: Option<String>,
    #[schema(value_type = Object, additional_properties)]
    details: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<String>,
}

/// Check the health of a config
///
/// Always answers 200. Asks Meta and sends nothing. Starts another check of a number that is not
/// proved.
#[utoipa::path(
    get, path = "/whatsapp_configs/{config_id}/health", operation_id = "get_whatsapp_config_health", tag = "WhatsApp Configs",
    params(("config_id", description = "Config id.")),
    responses((status = 200, description = "The verdict and its parts.", body = WhatsappConfigHealth))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(config): Found<whatsapp_configs::WhatsappConfigRow>,
) -> Result<Json<WhatsappConfigHealth>, ApiError> {
    let (token, receives) = {
        let mut reader = ctx.store.read().await?;
        let mut conn = reader.conn();
        let token = match config.access_token_id {
            Some(token) => secrets::reveal(&mut conn, &ctx.vault, ctx.project, token, SecretKind::AccessToken).await?,
            None => None,
        };
        let receives = messages::has_received(&mut conn, ctx.project, &config.phone_number_id).await?;
        (token.map(SecretString::from), receives)
    };
    if !config.proof.receives() && token.is_some() {
        // Permissions may have been granted since the last check.
        let project = ctx.project;
        transact!(ctx.store, "number.proof.queue", tx => number_proof::queue_check(&ctx, tx, project, config.id).await)?;
    }
    let checked = match &token {
        Some(token) => ask(&ctx, &config, token, receives).await,
        None => Ok((without_token(&config, receives), None)),
    };
    let timestamp = ctx.now().into();
    Ok(Json(match checked {
        Ok((checks, shown)) => {
            if let Some(number) = shown.filter(|number| config.display_phone_number.as_ref() != Some(number)) {
                let (project, number) = (ctx.project, number.as_str());
                transact!(ctx.store, "whatsapp_config.show_as", tx => whatsapp_configs::show_as(tx, project, config.id, number).await)?;
            }
            WhatsappConfigHealth { status: checks.status(), checks: Some(checks), timestamp, error: None }
        }
        Err(error) => WhatsappConfigHealth { status: "error", checks: None, timestamp, error: Some(error.to_string()) },
    }))
}

/// Result of a check in short, for a person.
#[derive(Debug)]
pub(in crate::resources) struct Verdict {
    /// As in [`WhatsappConfigHealth`].
    pub(in crate::resources) status: &'static str,
    pub(in crate::resources) failing: Vec<HealthPart>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::resources) enum HealthPart {
    Number,
    Messaging,
    Subscription,
    Handshake,
}

/// Checks a config that was just created with this token.
pub(in crate::resources) async fn verdict(ctx: &AppState, row: &WhatsappConfigRow, token: &SecretString) -> Verdict {
    let asked = tokio::time::timeout(PATIENCE, ask(ctx, row, token, false)).await;
    let Ok(Ok((checks, _))) = asked else { return Verdict { status: "error", failing: Vec::new() } };
    let parts = [
        (HealthPart::Number, &checks.phone_number_access),
        (HealthPart::Messaging, &checks.messaging_health),
        (HealthPart::Subscription, &checks.webhook_subscription),
        (HealthPart::Handshake, &checks.webhook_verified),
    ];
    let failing = parts.into_iter().filter(|(_, check)| !check.passed).map(|(part, _)| part).collect();
    Verdict { status: checks.status(), failing }
}

/// Runs all checks; also returns the display number. Fails if Meta could not be asked.
async fn ask(
    ctx: &AppState,
    row: &WhatsappConfigRow,
    token: &SecretString,
    receives: bool,
) -> Result<(WhatsappConfigChecks, Option<String>), CallError> {
    let (info, number, apps) = tokio::join!(
        ctx.graph.token_info(token),
        ctx.graph.number(&row.phone_number_id, token),
        ctx.graph.subscribed_apps(&row.waba_id, token),
    );
    let (info, number, apps) = (answered(info)?, answered(number)?, answered(apps)?);
    let app = info.as_ref().ok().and_then(|info| info.app_id.clone());
    let shown = number.as_ref().ok().and_then(|number| number.display_phone_number.clone());
    let checks = WhatsappConfigChecks {
        messaging_health: messaging(&info, &number),
        phone_number_access: access(&info, &number).with_proof(row),
        webhook_subscription: subscription(apps, app.as_deref()),
        webhook_verified: verified(row, receives),
    };
    Ok((checks, shown))
}

/// A refusal by Meta is a finding; an unreachable Meta is not.
fn answered<T>(result: Result<T, CallError>) -> Result<Result<T, CallError>, CallError> {
    match result {
        Err(error) if error.is_passing() => Err(error),
        other => Ok(other),
    }
}

impl HealthCheck {
    /// Adds the state of the proof, without which the config receives nothing.
    fn with_proof(mut self, row: &WhatsappConfigRow) -> Self {
        self.details.insert("proof".into(), json!(row.proof.as_str()));
        self.details.insert("proof_at".into(), json!(row.proof_at.map(Time)));
        self.details.insert("proof_failure".into(), json!(row.proof_failure.map(ProofFailure::as_str)));
        if self.error.is_none() && !row.proof.receives() {
            let why = row.proof_failure.map_or("the check is not done yet", explained);
            self.passed = false;
            self.error = Some(format!("the number is not proved, so no messages are received: {why}"));
        }
        self
    }
}

const fn explained(failure: ProofFailure) -> &'static str {
    match failure {
        ProofFailure::NoToken => "the config has no access token",
        ProofFailure::TokenInvalid => "Meta does not accept the access token",
        ProofFailure::NumberNotReadable => "the access token cannot read the number",
        ProofFailure::AccountNotReadable => "the access token cannot read the business account",
        ProofFailure::NotInAccount => "the number is not in this business account",
        ProofFailure::NumberTaken => "another config has proved the number; delete that one first",
        ProofFailure::Unreachable => "Meta gave no answer; the check is repeated",
    }
}

fn access(info: &Result<TokenInfo, CallError>, number: &Result<Number, CallError>) -> HealthCheck {
    let mut details = Map::new();
    if let Ok(info) = info {
        details.insert("token_valid".into(), json!(info.valid));
        details.insert("token_expires_at".into(), json!(info.expires_at));
    }
    let number = match number {
        Ok(number) => number,
        Err(error) => return HealthCheck { details, error: Some(error.to_string()), ..HealthCheck::default() },
    };
    let facts = [
        ("verified_name", &number.verified_name),
        ("display_phone_number", &number.display_phone_number),
        ("status", &number.status),
        ("quality_rating", &number.quality_rating),
        ("name_status", &number.name_status),
        ("code_verification_status", &number.code_verification_status),
        ("platform_type", &number.platform_type),
        ("throughput", &number.throughput),
        ("messaging_limit", &number.messaging_limit),
    ];
    details.extend(facts.map(|(name, value)| (name.to_owned(), json!(value))));
    let differs = |value: &Option<String>, wanted: &str| value.as_deref().is_some_and(|value| value != wanted);
    let error = if info.as_ref().is_ok_and(|info| !info.valid) {
        Some("the access token is not valid any more".to_owned())
    } else if differs(&number.status, "CONNECTED") {
        Some(format!("the number is {}", number.status.as_deref().unwrap_or_default()))
    } else if differs(&number.platform_type, "CLOUD_API") {
        Some("the number is not registered for the Cloud API".to_owned())
    } else {
        None
    };
    HealthCheck { passed: error.is_none(), details, error, ..HealthCheck::default() }
}

fn messaging(info: &Result<TokenInfo, CallError>, number: &Result<Number, CallError>) -> HealthCheck {
    let health = number.as_ref().ok().and_then(|number| number.health.as_ref());
    let missing: Vec<&str> = match info {
        Ok(info) => SCOPES.into_iter().filter(|scope| !info.scopes.iter().any(|has| has == scope)).collect(),
        Err(_) => Vec::new(),
    };
    let mut details = Map::new();
    details.insert("missing_scopes".into(), json!(missing));
    details.insert("reasons".into(), json!(health.map(|health| &health.reasons)));
    let word = health.map(|health| health.can_send_message.clone());
    let error = match (&word, missing.as_slice()) {
        (_, [one, ..]) => Some(format!("the access token lacks {one}")),
        (Some(word), []) if word == "BLOCKED" => Some("Meta blocks messages from this number".to_owned()),
        (Some(_), []) => None,
        (None, []) => Some("Meta did not say whether messages can be sent".to_owned()),
    };
    HealthCheck { passed: error.is_none(), overall_status: word, details, error }
}

fn subscription(apps: Result<Vec<String>, CallError>, ours: Option<&str>) -> HealthCheck {
    let apps = match apps {
        Ok(apps) => apps,
        Err(error) => return HealthCheck { error: Some(error.to_string()), ..HealthCheck::default() },
    };
    let subscribed = ours.map_or(!apps.is_empty(), |ours| apps.iter().any(|app| app == ours));
    let details = Map::from_iter([("subscribed".to_owned(), json!(subscribed))]);
    let error = (!subscribed).then(|| "the app does not get the account's webhooks".to_owned());
    HealthCheck { passed: subscribed, details, error, ..HealthCheck::default() }
}

fn verified(row: &WhatsappConfigRow, receives: bool) -> HealthCheck {
    let at = row.webhook_verified_at.map(Time);
    let passed = at.is_some() || receives;
    let error = (!passed).then(|| "Meta has not made the handshake with this verify token yet".to_owned());
    let details = Map::from_iter([("verified_at".to_owned(), json!(at)), ("receives".to_owned(), json!(receives))]);
    HealthCheck { passed, details, error, ..HealthCheck::default() }
}

fn without_token(row: &WhatsappConfigRow, receives: bool) -> WhatsappConfigChecks {
    let none = || HealthCheck { error: Some("the config has no access token".into()), ..HealthCheck::default() };
    WhatsappConfigChecks {
        phone_number_access: none().with_proof(row),
        messaging_health: none(),
        webhook_subscription: none(),
        webhook_verified: verified(row, receives),
    }
}

impl WhatsappConfigChecks {
    const fn status(&self) -> &'static str {
        if !self.phone_number_access.passed || !self.messaging_health.passed {
            "unhealthy"
        } else if !self.webhook_subscription.passed || !self.webhook_verified.passed {
            "degraded"
        } else {
            "healthy"
        }
    }
}
