//! `GET /executions/{execution_id}/steps/{step_no}`

use super::{
    deleted_texts::{deleted_texts, mask_events},
    events::{ExecutionEvent, shape},
};
use crate::{
    ApiError,
    api::{Data, Time},
    auth::{ProjectContext, path_id},
};
use axum::extract::Path;
use domain::chat::{ModelChoice, ModelRequest, Rendering};
use engine::Event;
use runtime::{
    deleted_text::DeletedTexts,
    model_providers, pictures,
    replay::{self, Rebuilt, StepRecord},
};
use serde::Serialize;
use serde_json::{Map, Value};
use store::Error;
use utoipa::ToSchema;

/// One step of an execution: what it received, what it asked for, and the result.
#[derive(Serialize, ToSchema)]
pub(super) struct ExecutionStep {
    #[schema(minimum = 1)]
    step: i64,
    at: Time,
    /// Inputs of the engine, as the journal holds them.
    inputs: Vec<Map<String, Value>>,
    /// Effects that the engine asked for. Secrets are shown as `{{secrets.name}}`.
    effects: Vec<Map<String, Value>>,
    events: Vec<ExecutionEvent>,
    /// Model request of the step, if it asked for one.
    model_request: Option<StepModelRequest>,
    /// Input of a later step with the result of the model call, request, search or send.
    outcome: Option<Map<String, Value>>,
}

/// A model request, rebuilt by a replay of the execution.
#[derive(Serialize, ToSchema)]
struct StepModelRequest {
    provider: Option<String>,
    model: Option<String>,
    /// Body as the provider received it, byte for byte, with the present settings of the server; but
    /// messages that the contact has deleted since are masked. In place of the bytes of a picture, a
    /// marker names its message, type, size and SHA-256. Null if the body cannot be rebuilt.
    body: Option<String>,
    /// Reason for a null body.
    problem: Option<String>,
}

impl StepModelRequest {
    async fn of(ctx: &ProjectContext, rebuilt: &Rebuilt, outcome: Option<&Value>) -> Result<Self, Error> {
        let unknown = |problem: String| Self { provider: None, model: None, body: None, problem: Some(problem) };
        let Rebuilt::Request(request, conversation) = rebuilt else {
            return Ok(unknown("the step was made by another version and cannot be rebuilt".into()));
        };
        let rendering = outcome.and_then(rendering);
        let mut request = request.clone();
        if rendering.is_none() {
            pictures::describe(ctx, ctx.project, *conversation, &mut request).await?;
        }
        let body = model_providers::body(ctx, ctx.project, &request, rendering.as_ref()).await?;
        Ok(match body {
            Ok((ModelChoice { provider, model }, body)) => {
                let body = body.map_or_else(|| readable(&request), |body| String::from_utf8_lossy(&body).into_owned());
                Self { provider: Some(provider), model: Some(model), body: Some(body), problem: None }
            }
            Err(failure) => unknown(failure.message),
        })
    }
}

impl StepModelRequest {
    /// Without the texts of messages that the contact deleted since.
    fn masked(self, deleted: &DeletedTexts) -> Self {
        Self { body: self.body.map(|body| deleted.mask_body(body)), ..self }
    }
}

/// The form in which the request was sent, as its result says.
fn rendering(outcome: &Value) -> Option<Rendering> {
    let result = outcome.get("response").or_else(|| outcome.get("failure"))?;
    serde_json::from_value(result.get("rendering")?.clone()).ok()
}

/// The request to a model in this process, which receives no bytes.
fn readable(request: &ModelRequest) -> String {
    serde_json::to_string(request).unwrap_or_default()
}

/// Read one step of an execution
///
/// With its inputs, effects and events, the result of its effect, and the exact request to the model.
/// The request is not stored: it is rebuilt by a replay of the execution until this step.
#[utoipa::path(
    get, path = "/executions/{execution_id}/steps/{step_no}", operation_id = "get_execution_step",
    tag = "Agent Executions",
    params(("execution_id", description = "Execution id."), ("step_no" = i64, description = "Number of the step, from 1.")),
    responses((status = 200, description = "The step.", body = Data<ExecutionStep>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path((execution, step_no)): Path<(String, String)>,
) -> Result<Data<ExecutionStep>, ApiError> {
    let id = path_id(&execution, "Step")?;
    let step_no: i64 = step_no.parse().map_err(|_| ApiError::NotFound("Step"))?;
    let found = replay::step(&ctx, ctx.project, id, step_no).await?.ok_or(ApiError::NotFound("Step"))?;
    let StepRecord { row, request, outcome } = found;
    let deleted = deleted_texts(&ctx, ctx.project, id).await?;
    let mut events: Vec<Event> = parsed("events", &row.events)?;
    mask_events(&deleted, &mut events);
    let model_request = match &request {
        Some(rebuilt) => Some(StepModelRequest::of(&ctx, rebuilt, outcome.as_ref()).await?.masked(&deleted)),
        None => None,
    };
    let masked = |mut objects: Vec<Map<String, Value>>| {
        objects
            .iter_mut()
            .flat_map(|object| object.iter_mut())
            .for_each(|(name, value)| deleted.mask_field(name, value));
        objects
    };
    Ok(Data {
        data: ExecutionStep {
            step: row.step_no,
            at: row.at.into(),
            inputs: masked(parsed("journal", &row.inputs)?),
            effects: masked(without_marks(&row.effects)?),
            events: events.iter().map(|event| shape(event, row.step_no, row.at)).collect(),
            model_request,
            outcome: masked(outcome.and_then(|outcome| outcome.as_object().cloned()).into_iter().collect()).pop(),
        },
    })
}

fn parsed<T: serde::de::DeserializeOwned>(what: &'static str, text: &str) -> Result<Vec<T>, Error> {
    serde_json::from_str(text).map_err(|error| Error::Damaged { what, why: error.to_string() })
}

/// Effects with the names of secrets in place of their marks.
fn without_marks(text: &str) -> Result<Vec<Map<String, Value>>, Error> {
    let effects: Vec<Map<String, Value>> = parsed("effects", text)?;
    let marks = effects.iter().filter_map(|effect| effect.get("secrets")?.as_object()).flatten();
    let mut shown = text.to_owned();
    for (mark, name) in marks {
        // Both stand in strings of JSON, so the name is escaped as there.
        let name = Value::from(format!("{{{{secrets.{}}}}}", name.as_str().unwrap_or_default())).to_string();
        shown = shown.replace(mark.as_str(), name.trim_matches('"'));
    }
    parsed("effects", &shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_secrets_are_shown_as_their_names() {
        let text =
            r#"[{"effect":"call_tool","request":{"url":"https://x/s3cr3t0xa"},"secrets":{"s3cr3t0xa":"ke\"y"}}]"#;
        let shown = without_marks(text).unwrap();
        assert_eq!(shown[0]["request"]["url"], "https://x/{{secrets.ke\"y}}");
    }
}
