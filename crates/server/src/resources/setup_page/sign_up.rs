//! Meta's embedded sign-up as redirects: the dialog, the exchange of its code, and the choice of a
//! number (docs/spec/whatsapp-cloud-api.md 2.9).
//!
//! The state in the dialog's URL names the link and is signed. Half of it is a cookie, so that a
//! sign-up ends in the browser that began it. Meta's token waits encrypted until a number is chosen.

use super::{
    connect::{Number, Refusal, connect},
    outcome::Reason,
    render::{Choice, Entered, Return},
    texts::Language,
    visit::{Arrived, Stop, without_link},
};
use crate::{ApiError, AppState, SignUp, api::cookie::Cookie, resources::setup_links as links};
use axum::{
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, header, request::Parts},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    Id, Timestamp,
    ids::{ProjectId, SetupLinkId},
    setup_link::SetupLinkStatus,
};
use gateways::whatsapp::CallError;
use secrecy::{ExposeSecret as _, SecretString};
use std::time::Duration;
use store::{
    customers,
    secrets::{self, SecretKind},
    setup_links, transact,
};
use subtle::ConstantTimeEq as _;
use url::Url;
use uuid::Uuid;

/// A person may take this long in Meta's dialog, in seconds.
const LIFE: i64 = 3_600;
/// Maximum wait for Meta's answers.
const PATIENCE: Duration = Duration::from_secs(10);
/// Accounts of a sign-up that are read; the dialog lets a person choose one.
const MAX_ACCOUNTS: usize = 5;

/// `POST /setup/{token}/meta`: sends the browser to Meta's dialog.
pub(crate) async fn begin(
    State(ctx): State<AppState>,
    Path(token): Path<String>,
    request: Request,
) -> Result<Response, Stop> {
    let (arrived, _) = Arrived::with_form(&ctx, token, request).await?;
    let sign_up = ctx.http().sign_up().ok_or(ApiError::NoRoute)?;
    let mut nonce = [0; 16];
    ctx.fill_random(&mut nonce);
    let nonce = URL_SAFE_NO_PAD.encode(nonce);
    let state = SignedState {
        project: arrived.opened.project.id,
        link: arrived.opened.link.id,
        language: arrived.language,
        ends: ctx.now().secs() + LIFE,
    };
    let url = dialog(sign_up, &redirect_uri(&ctx, &arrived.parts), &state.sign(&ctx, &nonce));
    let invalid = || ApiError::Internal("whatsapp.dialog_base_url is no URL".into());
    let mut response = url.and_then(|url| arrived.page(&ctx).redirect(&url)).ok_or_else(invalid)?;
    set_cookie(&ctx, &arrived.parts.headers, &nonce, LIFE, &mut response);
    Ok(response)
}

/// `GET /setup/return`: Meta sends the browser here, with a code or with an error.
pub(crate) async fn complete(State(ctx): State<AppState>, request: Request) -> Result<Response, Stop> {
    let (mut parts, _) = request.into_parts();
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let value = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let sign_up = ctx.http().sign_up().ok_or(ApiError::NoRoute)?;
    let nonce = Cookie::SignUp.read(&parts.headers, ctx.is_secure(parts.headers.get(header::HOST)));
    let state = SignedState::read(&ctx, &value("state").unwrap_or_default(), nonce.unwrap_or_default());
    // Without a valid state there is no link to return to.
    let Some(state) = state else { return Err(without_link(&ctx, &parts, Reason::SignUpFailed)) };
    if let Ok(uri) = format!("/setup/return?lang={}", state.language.code()).parse() {
        parts.uri = uri;
    }
    let token = links::token(&ctx, state.project, state.link);
    let arrived = Arrived::new(&ctx, token.clone(), parts, &ctx.http().setup_forms).await?;
    let mut response = match value("code") {
        Some(code) => {
            let uri = redirect_uri(&ctx, &arrived.parts);
            match exchange(&ctx, sign_up, &code, &uri).await {
                Some(of_business) => {
                    keep(&ctx, &state, &of_business).await?;
                    arrived.page(&ctx).redirect(&format!("{token}/numbers?lang={}", state.language.code()))
                }
                None => Some(with_form(&ctx, &arrived, Reason::SignUpFailed)),
            }
        }
        None => {
            let page = arrived.page(&ctx);
            let away = page.return_url(Return::Failure { error: "cancelled" });
            Some(
                away.and_then(|url| page.redirect(&url))
                    .unwrap_or_else(|| with_form(&ctx, &arrived, Reason::Cancelled)),
            )
        }
    }
    .ok_or_else(|| ApiError::Internal("a page has no URL".into()))?;
    set_cookie(&ctx, &arrived.parts.headers, "", 0, &mut response);
    Ok(response)
}

/// `GET /setup/{token}/numbers`: the numbers of the sign-up.
pub(crate) async fn numbers(
    State(ctx): State<AppState>,
    Path(token): Path<String>,
    request: Request,
) -> Result<Response, Stop> {
    let (parts, _) = request.into_parts();
    let arrived = Arrived::new(&ctx, token, parts, &ctx.http().setup_forms).await?;
    let of_business = kept(&ctx, &arrived).await?;
    Ok(match choices(&ctx, &of_business).await {
        Ok(choices) if choices.is_empty() => arrived.page(&ctx).numbers(&[], "", false, Some(Reason::NoNumber)),
        Ok(choices) => arrived.page(&ctx).numbers(&choices, "", false, None),
        Err(_) => arrived.page(&ctx).numbers(&[], "", false, Some(Reason::SignUpFailed)),
    })
}

/// `POST /setup/{token}/numbers`: connects the chosen number.
pub(crate) async fn choose(
    State(ctx): State<AppState>,
    Path(token): Path<String>,
    request: Request,
) -> Result<Response, Stop> {
    let (arrived, bytes) = Arrived::with_form(&ctx, token, request).await?;
    let of_business = kept(&ctx, &arrived).await?;
    let (mut chosen, mut pin) = (String::new(), String::new());
    for (name, value) in url::form_urlencoded::parse(&bytes) {
        match name.as_ref() {
            "phone_number_id" => value.trim().clone_into(&mut chosen),
            "pin" => value.trim().clone_into(&mut pin),
            _ => {}
        }
    }
    let page = arrived.page(&ctx);
    let Ok(choices) = choices(&ctx, &of_business).await else {
        return Ok(page.numbers(&[], "", false, Some(Reason::SignUpFailed)));
    };
    let is_pin = pin.len() == 6 && pin.bytes().all(|digit| digit.is_ascii_digit());
    let choice = choices.iter().find(|choice| choice.number.id == chosen);
    let Some(choice) = choice.filter(|choice| choice.is_registered() || is_pin) else {
        return Ok(page.numbers(&choices, &chosen, true, None));
    };
    let name = choice.number.verified_name.as_deref().unwrap_or(&arrived.opened.customer.name);
    let name: String = name.chars().filter(|c| !c.is_control()).take(120).collect();
    let number = Number {
        name: if name.trim().is_empty() { &chosen } else { &name },
        phone_number_id: &choice.number.id,
        business_account_id: &choice.account,
        access_token: &of_business,
        pin: (!choice.is_registered()).then(|| SecretString::from(pin)),
    };
    Ok(match connect(&ctx, &arrived, number).await? {
        Ok(response) => response,
        Err(Refusal::Fields(_)) => page.numbers(&choices, &chosen, true, None),
        Err(Refusal::Reason(reason)) => page.numbers(&choices, &chosen, false, Some(reason)),
    })
}

/// The first page again, with the reason why the sign-up led to nothing.
fn with_form(ctx: &AppState, arrived: &Arrived, reason: Reason) -> Response {
    let entered = Entered { name: arrived.opened.customer.name.clone(), ..Entered::default() };
    arrived.page(ctx).form(&entered, Some(reason))
}

/// Registered at Meta for the app.
fn redirect_uri(ctx: &AppState, parts: &Parts) -> String {
    ctx.base_url(parts.headers.get(header::HOST)) + "/setup/return"
}

fn dialog(sign_up: &SignUp, redirect_uri: &str, state: &str) -> Option<String> {
    let base = sign_up.dialog_base_url.trim_end_matches('/');
    let mut url = Url::parse(&format!("{base}/{}/dialog/oauth", sign_up.graph_version)).ok()?;
    url.query_pairs_mut()
        .append_pair("client_id", &sign_up.app_id)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("state", state)
        .append_pair("response_type", "code");
    if let Some(config) = &sign_up.config_id {
        url.query_pairs_mut().append_pair("config_id", config).append_pair("override_default_response_type", "true");
    }
    Some(url.into())
}

fn set_cookie(ctx: &AppState, headers: &HeaderMap, value: &str, seconds: i64, response: &mut Response) {
    let secure = ctx.is_secure(headers.get(header::HOST));
    let cookie: Option<HeaderValue> = Cookie::SignUp.set(value, secure, seconds);
    response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
}

/// The token of the business; `None` if Meta does not give one for the code.
async fn exchange(ctx: &AppState, sign_up: &SignUp, code: &str, redirect_uri: &str) -> Option<SecretString> {
    let Some(secret) = ctx.app_secrets.first() else {
        tracing::warn!("embedded sign-up needs CHASQUI_META_APP_SECRET");
        return None;
    };
    let call = ctx.graph.exchange_code(&sign_up.app_id, secret, code, redirect_uri);
    match tokio::time::timeout(PATIENCE, call).await {
        Ok(Ok(token)) => Some(token),
        Ok(Err(error)) => {
            tracing::warn!(%error, "Meta did not exchange the code of a sign-up");
            None
        }
        Err(_) => None,
    }
}

/// Stores the token under the id of the link, if that is still active.
async fn keep(ctx: &AppState, state: &SignedState, token: &SecretString) -> Result<(), ApiError> {
    let (project, id) = (state.project, state.link);
    transact!(ctx.store, "setup_link.sign_up", ApiError, tx => {
        let now = ctx.now();
        let missing = || ApiError::NotFound("Setup link");
        let row = setup_links::find(tx, project, id).await?.ok_or_else(missing)?;
        customers::lock(tx, project, row.customer_id).await?.ok_or_else(missing)?;
        let row = setup_links::lock(tx, project, id).await?.ok_or_else(missing)?;
        if row.status(now) != SetupLinkStatus::Active {
            return Err(missing());
        }
        let mut scope = tx.scope(project, now);
        secrets::put(&mut scope, &ctx.vault, Id::from_uuid(id.uuid()), SecretKind::SignUpToken, token.expose_secret()).await?;
        Ok(())
    })
}

/// The token of the sign-up; without one, the first page.
async fn kept(ctx: &AppState, arrived: &Arrived) -> Result<SecretString, Stop> {
    let (project, id) = (arrived.opened.project.id, arrived.opened.link.id);
    let token = {
        let mut reader = ctx.store.read().await?;
        let id = Id::from_uuid(id.uuid());
        secrets::reveal(&mut reader.conn(), &ctx.vault, project, id, SecretKind::SignUpToken).await?
    };
    let first = || format!("../{}?lang={}", links::token(ctx, project, id), arrived.language.code());
    let away = || arrived.page(ctx).redirect(&first()).map_or_else(|| ApiError::NoRoute.into(), Stop::from);
    token.map(SecretString::from).ok_or_else(away)
}

/// Numbers of the accounts that the token is for.
async fn choices(ctx: &AppState, token: &SecretString) -> Result<Vec<Choice>, CallError> {
    let asked = async {
        let mut choices = Vec::new();
        for account in ctx.graph.token_info(token).await?.targets.into_iter().take(MAX_ACCOUNTS) {
            for number in ctx.graph.numbers(&account, token).await? {
                choices.push(Choice { account: account.clone(), number });
            }
        }
        Ok::<_, CallError>(choices)
    };
    let late = |_| Err(CallError::Unknown { message: "Meta gave no answer in time".into() });
    tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(late)
}

/// `state` of the dialog.
struct SignedState {
    project: ProjectId,
    link: SetupLinkId,
    language: Language,
    /// Unix seconds.
    ends: i64,
}

impl SignedState {
    const FIELDS: usize = 16 + 16 + 1 + 8;
    const MAC: usize = 16;

    fn sign(&self, ctx: &AppState, nonce: &str) -> String {
        let mut bytes = Vec::with_capacity(Self::FIELDS + Self::MAC);
        bytes.extend_from_slice(self.project.uuid().as_bytes());
        bytes.extend_from_slice(self.link.uuid().as_bytes());
        bytes.push(self.language.number());
        bytes.extend_from_slice(&self.ends.to_be_bytes());
        let mac = Self::mac(ctx, &bytes, nonce);
        bytes.extend_from_slice(&mac);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// `None` for a state that is not ours, of another browser, or too old.
    fn read(ctx: &AppState, text: &str, nonce: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == Self::FIELDS + Self::MAC)?;
        let (fields, shown) = bytes.split_at(Self::FIELDS);
        if !bool::from(Self::mac(ctx, fields, nonce).as_slice().ct_eq(shown)) {
            return None;
        }
        let state = Self {
            project: Id::from_uuid(Uuid::from_slice(&fields[..16]).ok()?),
            link: Id::from_uuid(Uuid::from_slice(&fields[16..32]).ok()?),
            language: Language::of_number(fields[32])?,
            ends: i64::from_be_bytes(fields[33..].try_into().ok()?),
        };
        Some(state).filter(|state| ctx.now() < Timestamp::from_secs(state.ends))
    }

    fn mac(ctx: &AppState, fields: &[u8], nonce: &str) -> [u8; Self::MAC] {
        let mac = ctx.vault.mac(&[b"sign-up: ", fields, nonce.as_bytes()].concat());
        std::array::from_fn(|at| mac[at])
    }
}
