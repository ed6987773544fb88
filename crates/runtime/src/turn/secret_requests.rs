//! Requests of tools with the project's secrets: filled right before they leave, and removed from
//! what comes back.

use crate::{Context, cpu, secrets};
use domain::{
    ids::ProjectId,
    nesting,
    tool_request::{SecretMarks, ToolAnswer, ToolRequest},
};
use engine::Input;
use std::collections::BTreeMap;
use store::Result;

/// Outcome of a request that its secrets make too large.
fn too_large() -> ToolAnswer {
    ToolAnswer::Failed { code: "request_too_large".into(), message: "request too large".into() }
}

/// The secrets of a request: values that the project has, and names that it has not.
pub(super) struct Secrets {
    pub(super) values: BTreeMap<String, String>,
    pub(super) missing: Vec<String>,
}

/// The request with its secrets; its outcome if it must not be made: a secret is not set, or it is
/// too large.
pub(super) async fn with_secrets(
    ctx: &Context,
    project: ProjectId,
    request: &ToolRequest,
    marks: &SecretMarks,
) -> Result<(std::result::Result<ToolRequest, ToolAnswer>, Secrets)> {
    let values = secrets::values(ctx, project, marks.names()).await?;
    let missing: Vec<String> = marks.names().filter(|name| !values.contains_key(*name)).map(str::to_owned).collect();
    if marks.is_empty() {
        return Ok((Ok(request.clone()), Secrets { values, missing }));
    }
    if !missing.is_empty() {
        return Ok((Err(not_set(&missing)), Secrets { values, missing }));
    }
    let (marks, request, known) = (marks.clone(), request.clone(), values.clone());
    let filled = cpu::SHORT.run(move || marks.fill(&request, &known)).await.flatten();
    Ok((filled.ok_or_else(too_large), Secrets { values, missing }))
}

/// Outcome of a request that names secrets which the project does not have.
fn not_set(names: &[String]) -> ToolAnswer {
    let message = format!("the request was not made: the project has no secret named {}", names.join(", "));
    ToolAnswer::Failed { code: "secret_not_set".into(), message }
}

/// Removes secrets that the other side echoed: everything after this is journaled.
pub(super) fn readable(answer: ToolAnswer, secrets: &BTreeMap<String, String>) -> ToolAnswer {
    match answer.redacted(secrets) {
        ToolAnswer::Answered { status, content, truncated } => {
            ToolAnswer::Answered { status, content: nesting::shallow(content), truncated }
        }
        failed @ ToolAnswer::Failed { .. } => failed,
    }
}

pub(super) fn with_missing_secrets(names: Vec<String>, outcome: Input) -> Vec<Input> {
    if names.is_empty() { vec![outcome] } else { vec![Input::SecretsMissing { names }, outcome] }
}
