//! Connects a number: checks it at Meta, stores it, and ends the link.

use super::{
    outcome::Reason,
    render::Return,
    visit::{Arrived, Stop},
};
use crate::{
    ApiError, AppState,
    api::{body, facts::RequestFacts},
    resources::whatsapp_configs::{NewWhatsappConfig, WhatsappConfigCreateRequest, verdict},
};
use axum::{http::header, response::Response};
use domain::conversation::ProofFailure;
use runtime::number_proof::Check;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use store::{
    audit::{self, AuditRow},
    customers, secrets, setup_links, transact,
    whatsapp_configs::WhatsappConfigRow,
};

/// Maximum wait for Meta to register a number, and to subscribe the app.
const PATIENCE: Duration = Duration::from_secs(5);

/// A number with its credentials.
pub(super) struct Number<'n> {
    pub(super) name: &'n str,
    pub(super) phone_number_id: &'n str,
    pub(super) business_account_id: &'n str,
    pub(super) access_token: &'n SecretString,
    /// PIN to register the number with, if Meta has not registered it.
    pub(super) pin: Option<SecretString>,
}

/// Reason why a number was not connected, while its link stays active.
pub(super) enum Refusal {
    /// Names of wrong fields.
    Fields(Vec<String>),
    Reason(Reason),
}

/// Connects the number. `Err` inside if the customer can correct something and try again.
pub(super) async fn connect(
    ctx: &AppState,
    arrived: &Arrived,
    number: Number<'_>,
) -> Result<Result<Response, Refusal>, Stop> {
    let new = match number.config(ctx)? {
        Ok(new) => new,
        Err(wrong) => return Ok(Err(Refusal::Fields(wrong))),
    };
    let refused = |reason| Ok(Err(Refusal::Reason(reason)));
    if new.check_number(ctx).is_err() {
        return refused(Reason::NumberTaken);
    }
    let check = new.check(ctx).await;
    match check.as_ref().map(|check| &check.result) {
        Some(Err(failure)) if failure.class != ProofFailure::Unreachable => {
            return refused(Reason::of_proof(failure.class));
        }
        Some(Ok(())) => {
            if !number.register(ctx).await {
                return refused(Reason::PinRefused);
            }
            number.subscribe(ctx).await;
        }
        _ => {}
    }
    let page = arrived.page(ctx);
    let row = match use_link(ctx, arrived, &new, check.as_ref()).await {
        Ok(Ok(row)) => row,
        Ok(Err(reason)) => return Ok(Ok(page.ended(reason))),
        Err(error) if error.code() == "number_taken" => return refused(Reason::NumberTaken),
        Err(error) => return Err(error.into()),
    };
    ctx.wake.notify_one();
    let opened = &arrived.opened;
    tracing::info!(project = %opened.project.id, link = %opened.link.id, config = %row.id, "setup link used");
    let verdict = verdict(ctx, &row, number.access_token).await;
    let away = page.return_url(Return::Success { config: &row, status: verdict.status });
    let response = away.and_then(|url| page.redirect(&url));
    Ok(Ok(response.unwrap_or_else(|| {
        let callback = ctx.base_url(arrived.parts.headers.get(header::HOST)) + "/webhooks/whatsapp";
        page.connected(&row, &verdict, &callback)
    })))
}

/// Creates the config and ends the link, in one transaction; of two forms at once one does.
async fn use_link(
    ctx: &AppState,
    arrived: &Arrived,
    new: &NewWhatsappConfig,
    check: Option<&Check>,
) -> Result<Result<WhatsappConfigRow, Reason>, ApiError> {
    let opened = &arrived.opened;
    let (project, customer, id) = (opened.project.id, opened.customer.id, opened.link.id);
    let facts = arrived.parts.extensions.get::<Arc<RequestFacts>>();
    let request_id = facts.map(|facts| facts.request_id.clone()).unwrap_or_default();
    transact!(ctx.store, "setup_link.use", ApiError, tx => {
        let now = ctx.now();
        if customers::lock(tx, project, customer).await?.is_none() {
            return Ok(Err(Reason::Unknown));
        }
        let Some(mut link) = setup_links::lock(tx, project, id).await? else { return Ok(Err(Reason::Unknown)) };
        if let Some(reason) = Reason::of_status(link.status(now)) {
            return Ok(Err(reason));
        }
        let row = new.insert(ctx, tx, project, customer, check).await?;
        link.used_at = Some(now);
        link.updated_at = now;
        setup_links::update(tx, project, &link).await?;
        // The token of a sign-up is in the config now.
        secrets::delete(tx, project, domain::Id::from_uuid(id.uuid())).await?;
        let entry = AuditRow {
            id: ctx.new_uuid(),
            at: now,
            actor: format!("setup_link:{id}"),
            action: "setup_link.use".into(),
            target: row.id.to_string(),
            request_id: request_id.clone(),
        };
        audit::append(tx, project, &entry).await?;
        Ok(Ok(row))
    })
}

impl Number<'_> {
    /// The config, checked as in the API, or the names of the fields that are wrong. Its verify token
    /// is new: the owner of the number finds it in the config.
    fn config(&self, ctx: &AppState) -> Result<Result<NewWhatsappConfig, Vec<String>>, ApiError> {
        if self.name.contains(char::is_control) {
            return Ok(Err(vec!["name".into()]));
        }
        let mut random = [0; 16];
        ctx.fill_random(&mut random);
        let verify_token: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let body = json!({"whatsapp_config": {
            "name": self.name,
            "phone_number_id": self.phone_number_id,
            "business_account_id": self.business_account_id,
            "access_token": self.access_token.expose_secret(),
            "webhook_verify_token": verify_token,
        }});
        match body::checked::<WhatsappConfigCreateRequest>(body) {
            Ok(request) => Ok(Ok(request.whatsapp_config)),
            Err(ApiError::Invalid(problems)) => Ok(Err(problems.iter().map(domain::Problem::field).collect())),
            Err(error) => Err(error),
        }
    }

    /// Registers the number if a PIN is given. False if Meta refuses or does not answer.
    async fn register(&self, ctx: &AppState) -> bool {
        let Some(pin) = &self.pin else { return true };
        let call = ctx.graph.register(self.phone_number_id, self.access_token, pin);
        matches!(tokio::time::timeout(PATIENCE, call).await, Ok(Ok(())))
    }

    /// Subscribes the token's app to the account's webhooks, without which none arrive. The health of
    /// the config shows if it failed.
    async fn subscribe(&self, ctx: &AppState) {
        let call = ctx.graph.subscribe(self.business_account_id, self.access_token, None);
        if !matches!(tokio::time::timeout(PATIENCE, call).await, Ok(Ok(()))) {
            tracing::warn!(account = self.business_account_id, "Meta did not subscribe the app to the account");
        }
    }
}
