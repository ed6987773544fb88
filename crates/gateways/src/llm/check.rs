//! Tiny calls, to see whether a model works (`chasqui doctor`, `check` of a project's provider).

use super::Provider;
use domain::{
    agent::LlmConfig,
    chat::{ChatMessage, ModelFailure, ModelFailureKind, ModelRequest, ModelResponse, ToolSpec},
    picture::{Picture, PictureSource},
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::time::{Duration, Instant};

/// Forms of the request that are tried.
const FORMS: usize = 6;
/// Seconds for one form.
const PATIENCE: u32 = 20;

/// A red square of 64 pixels (PNG): some models refuse smaller pictures.
const RED: &[u8] = b"\x89\x50\x4e\x47\x0d\x0a\x1a\x0a\x00\x00\x00\x0d\x49\x48\x44\x52\x00\x00\x00\x40\x00\x00\x00\x40\
    \x01\x03\x00\x00\x00\x90\xa7\xe3\x9d\x00\x00\x00\x03\x50\x4c\x54\x45\xff\x00\x00\x19\xe2\x09\x37\
    \x00\x00\x00\x0f\x49\x44\x41\x54\x78\xda\x63\x60\x18\x05\xa3\x80\x7c\x00\x00\x02\x40\x00\x01\xe0\
    \x4d\x1d\x44\x00\x00\x00\x00\x49\x45\x4e\x44\xae\x42\x60\x82";

/// A model that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    pub took: Duration,
    /// The answer came as a stream.
    pub streamed: bool,
    /// Names of the changes that its refusals asked for.
    pub adapted: Vec<String>,
}

/// Findings about a model that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abilities {
    pub checked: Checked,
    /// `None` if the provider gave no answer to a request with a tool, for a reason that may pass.
    pub tools: Option<bool>,
}

/// Asks for one word, in every form that the server asks for.
pub async fn check(provider: &Provider) -> Result<Checked, ModelFailure> {
    let began = Instant::now();
    let answer = ask(provider, "Answer with the word OK.", Vec::new(), Vec::new()).await?;
    let streamed = answer.first_token_ms.is_some();
    let adapted = answer.rendering.map(|rendering| rendering.adapted).unwrap_or_default();
    Ok(Checked { took: began.elapsed(), streamed, adapted })
}

/// As [`check`], and then whether the model calls a tool.
pub async fn abilities(provider: &Provider) -> Result<Abilities, ModelFailure> {
    let checked = check(provider).await?;
    let tool = ToolSpec {
        name: "report_ready".into(),
        description: "Reports that everything is ready.".into(),
        parameters: json!({"type": "object", "properties": {"ready": {"type": "boolean"}}, "required": ["ready"]}),
    };
    let tools = match ask(provider, "Call the tool report_ready with ready = true.", vec![tool], Vec::new()).await {
        Ok(answer) => Some(!answer.tool_calls.is_empty()),
        Err(failure) if failure.kind == ModelFailureKind::Temporary => None,
        Err(_) => Some(false),
    };
    Ok(Abilities { checked, tools })
}

/// True if the model takes a request with a picture, false if it takes texts only; `None` if neither
/// is known, for example because the provider gave no answer.
pub async fn images(provider: &Provider) -> Option<bool> {
    let takes = || provider.picture_limits(&LlmConfig::default()).is_some();
    if !takes() {
        return Some(false);
    }
    let message_id = "00000000-0000-0000-0000-000000000000".parse().ok()?;
    let sha256 = Sha256::digest(RED).iter().map(|byte| format!("{byte:02x}")).collect();
    let size = i64::try_from(RED.len()).unwrap_or_default();
    let source = PictureSource { message_id, mime_type: "image/png".into(), size, sha256 };
    let question = "Name the colour of the picture in one word.";
    let answer = ask(provider, question, Vec::new(), vec![Picture::new(source, RED)]).await.ok()?;
    let shown = answer.rendering.is_some_and(|rendering| !rendering.pictures.is_empty());
    // A server that refused this one picture may take others.
    (shown || !takes()).then_some(shown)
}

async fn ask(
    provider: &Provider,
    question: &str,
    tools: Vec<ToolSpec>,
    pictures: Vec<Picture>,
) -> Result<ModelResponse, ModelFailure> {
    let named = pictures.iter().map(|picture| picture.source.message_id).collect();
    let mut request = ModelRequest {
        system: "You are being checked.".into(),
        messages: vec![ChatMessage::User { content: question.into(), pictures: named }],
        pictures,
        tools,
        // Enough for a model that thinks first.
        max_tokens: Some(512),
        ..ModelRequest::default()
    };
    request.llm.timeout_s = Some(PATIENCE);
    let mut last = ModelFailure::default();
    for _ in 0..FORMS {
        match provider.complete(&request, "").await {
            Err(failure) if failure.kind == ModelFailureKind::Adapted => last = failure,
            answer => return answer,
        }
    }
    Err(last)
}
