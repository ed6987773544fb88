//! Model providers of a project: selects the model that a request names, the project's before the
//! server's (docs/spec/engine.md 5.2).
//!
//! A key is opened right before a request leaves and written nowhere.

use crate::{Context, provider_cache::Earlier};
use domain::{
    agent::LlmConfig,
    chat::{ModelChoice, ModelFailure, ModelFailureKind, ModelRequest, ModelResponse, Rendering},
    ids::ProjectId,
};
use gateways::llm::{LlmSettings, PictureLimits, ProjectConnection, Provider};
use secrecy::SecretString;
use store::{
    Conn, Error, Result,
    model_providers::{self, ModelProviderRow},
};

/// A call of a provider: its answer or its failure.
type Called<T> = std::result::Result<T, ModelFailure>;

/// Sends a request once to the model that it names. `trace_id` is the same on every attempt.
pub(crate) async fn complete(
    ctx: &Context,
    project: ProjectId,
    request: &ModelRequest,
    trace_id: &str,
) -> Result<Called<ModelResponse>> {
    let Some(row) = named(ctx, project, &request.llm).await? else {
        return Ok(ctx.model.complete(request, trace_id).await);
    };
    let answer = match provider(ctx, project, &row).await? {
        Ok(provider) => provider.complete(&of_its_own(request), trace_id).await,
        Err(failure) => Err(failure),
    };
    if answer.as_ref().is_err_and(|failure| failure.kind == ModelFailureKind::Temporary && failure.class.is_none()) {
        ctx.providers.expire(row.id);
    }
    Ok(answer)
}

/// The model that a request goes to and the body that its provider receives, as
/// [`gateways::llm::Models::body`]. Connects to nothing and opens no key.
pub async fn body(
    ctx: &Context,
    project: ProjectId,
    request: &ModelRequest,
    rendering: Option<&Rendering>,
) -> Result<Called<(ModelChoice, Option<Vec<u8>>)>> {
    let Some(row) = named(ctx, project, &request.llm).await? else {
        return Ok(ctx.model.body(request, rendering));
    };
    let settings = settings(&row, Some("not needed".into()))?;
    let request = of_its_own(request);
    Ok(ProjectConnection::none().provider(&settings).and_then(|provider| {
        let body = provider.body(&request, rendering).transpose()?;
        Ok((ModelChoice { provider: row.name, ..provider.chosen(&request) }, body))
    }))
}

/// Bounds of the pictures of a request to the model that it names; `None` if the model is not shown
/// any. Connects to nothing and opens no key.
pub(crate) async fn picture_limits(
    ctx: &Context,
    project: ProjectId,
    llm: &LlmConfig,
) -> Result<Option<PictureLimits>> {
    let Some(row) = named(ctx, project, llm).await? else { return Ok(ctx.model.picture_limits(llm)) };
    let connection = match ctx.providers.get(row.id, row.updated_at, ctx.clock.monotonic()) {
        Earlier::Fresh(connection) | Earlier::Old(connection) => connection,
        Earlier::None => ProjectConnection::none(),
    };
    let provider = connection.provider(&settings(&row, Some("not needed".into()))?);
    let own = LlmConfig { provider_name: None, ..llm.clone() };
    Ok(provider.ok().and_then(|provider| provider.picture_limits(&own)))
}

/// A provider with its key. Fails if it needs a key and has none, or if its address may not be
/// reached.
pub async fn provider(ctx: &Context, project: ProjectId, row: &ModelProviderRow) -> Result<Called<Provider>> {
    let key = {
        let mut reader = ctx.store.read().await?;
        model_providers::reveal_key(&mut reader.conn(), &ctx.vault, project, row.id).await?
    };
    let settings = settings(row, key)?;
    let now = ctx.clock.monotonic();
    let (fresh, earlier) = match ctx.providers.get(row.id, row.updated_at, now) {
        Earlier::Fresh(connection) => (Some(connection), None),
        Earlier::Old(connection) => (None, Some(connection)),
        Earlier::None => (None, None),
    };
    if let Some(connection) = fresh {
        return Ok(connection.provider(&settings));
    }
    // A missing key is reported even if the address may not be reached.
    if let Err(failure) = ProjectConnection::none().provider(&settings) {
        return Ok(Err(failure));
    }
    let Some(name) = settings.provider else { return Err(damaged(row)) };
    let opened = ProjectConnection::open(&ctx.egress, name, row.base_url.as_deref(), earlier.as_ref()).await;
    Ok(opened.and_then(|connection| {
        ctx.providers.put(row.id, row.updated_at, &connection, now);
        connection.provider(&settings)
    }))
}

/// Those of the names that neither the project nor the server has.
pub async fn unknown(
    ctx: &Context,
    conn: &mut Conn<'_>,
    project: ProjectId,
    names: impl IntoIterator<Item = &str>,
) -> Result<Vec<String>> {
    let mut unknown = Vec::new();
    for name in names {
        if !ctx.model.knows(name) && model_providers::named(conn, project, name).await?.is_none() {
            unknown.push(name.to_owned());
        }
    }
    Ok(unknown)
}

async fn named(ctx: &Context, project: ProjectId, llm: &LlmConfig) -> Result<Option<ModelProviderRow>> {
    let Some(name) = llm.provider_name.as_deref() else { return Ok(None) };
    let mut reader = ctx.store.read().await?;
    model_providers::named(&mut reader.conn(), project, name).await
}

fn settings(row: &ModelProviderRow, key: Option<String>) -> Result<LlmSettings> {
    Ok(LlmSettings {
        provider: Some(row.kind.parse().map_err(|_| damaged(row))?),
        base_url: row.base_url.clone(),
        api_key: key.map(SecretString::from),
        model: row.model.clone(),
        ..LlmSettings::default()
    })
}

fn damaged(row: &ModelProviderRow) -> Error {
    Error::Damaged { what: "model provider", why: format!("{} is not a kind of provider", row.kind) }
}

/// The request without the name that selected its provider, which the provider does not know.
fn of_its_own(request: &ModelRequest) -> ModelRequest {
    let llm = LlmConfig { provider_name: None, ..request.llm.clone() };
    ModelRequest { llm, ..request.clone() }
}
