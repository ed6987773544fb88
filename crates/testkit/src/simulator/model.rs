//! Model and tool service, with all kinds of answers and failures.

use super::{
    agents::NODES,
    world::{Inner, World},
};
use domain::{
    chat::{ModelFailure, ModelFailureKind, ModelRequest, ModelResponse, ToolCall, Usage},
    tool_request::{ToolAnswer, ToolRequest},
};
use futures::future::{BoxFuture, FutureExt as _};
use serde_json::{Value, json};

type Answer = Result<ModelResponse, ModelFailure>;

/// Answers a model request after a simulated delay.
pub(super) fn ask(world: World, request: &ModelRequest, effect: &str) -> BoxFuture<'static, Answer> {
    let tools: Vec<String> = request.tools.iter().map(|tool| tool.name.clone()).collect();
    let effect = effect.to_owned();
    async move {
        let (answer, wait) = {
            let now = world.now();
            let inner = &mut *world.lock();
            inner.counts.model_calls += 1;
            let slow = inner.profile.slow_model;
            let wait =
                if inner.fault(slow) { inner.chance.millis(8_000, 45_000) } else { inner.chance.millis(200, 4_000) };
            let answer = answer(inner, &tools);
            inner.history.note(now, format!("model asked {effect}: {answer:?}"));
            (answer, wait)
        };
        world.pause(wait).await;
        answer
    }
    .boxed()
}

fn answer(inner: &mut Inner, tools: &[String]) -> Answer {
    if inner.fault(inner.profile.model_failures) {
        let kind = match inner.chance.below(12) {
            0 => ModelFailureKind::Permanent,
            1 => ModelFailureKind::KeyMissing,
            _ => ModelFailureKind::Temporary,
        };
        let retry_after_ms = inner.chance.permille(300).then(|| inner.chance.millis(500, 20_000).millis());
        return Err(ModelFailure { kind, message: "simulated".into(), retry_after_ms, ..ModelFailure::default() });
    }
    let number = inner.counts.model_calls;
    let has = |name: &str| tools.iter().any(|tool| tool == name);
    let call = |name: &str, arguments: Value| ToolCall { id: String::new(), name: name.into(), arguments };
    let mut text = None;
    let mut calls = Vec::new();
    let service: Vec<&String> = tools.iter().filter(|tool| tool.ends_with("_request")).collect();
    match inner.chance.below(20) {
        0..9 => text = Some(format!("answer {number}")),
        9..11 if has("send_notification_to_user") => {
            calls.push(call("send_notification_to_user", json!({"message": format!("one moment {number}")})));
            calls.push(call("WaitForUser", json!({})));
        }
        11..14 if has("MoveToNextNode") => {
            let to = *inner.chance.pick(&NODES);
            calls.push(call("MoveToNextNode", json!({"next_node": to, "reason": "because"})));
        }
        14..18 if !service.is_empty() => calls.push(call(service[inner.chance.below(service.len())], json!({}))),
        18 => calls.push(call("WaitForUser", json!({}))),
        19 => {}
        _ => text = Some(format!("answer {number} of another kind")),
    }
    let usage = Usage { input_tokens: 10, output_tokens: 5, cached_tokens: 0 };
    Ok(ModelResponse { text, tool_calls: calls, usage, model: "simulated-1".into(), ..ModelResponse::default() })
}

/// Answers a tool request. Counts those other than GET, which a crash must not repeat.
pub(super) fn serve(world: World, request: &ToolRequest) -> BoxFuture<'static, ToolAnswer> {
    let (method, key) = (request.method.clone(), request.idempotency_key.clone());
    async move {
        let (failed, wait) = {
            let now = world.now();
            let inner = &mut *world.lock();
            inner.counts.tool_calls += 1;
            inner.history.note(now, format!("tool {method} {key}"));
            if method != "GET" {
                let times = inner.tools.entry(key.clone()).or_default();
                *times += 1;
                if *times > 1 {
                    inner.violation(now, format!("tool request {key} was made twice"));
                }
            }
            let failed = inner.fault(inner.profile.model_failures);
            (failed, inner.chance.millis(20, 2_500))
        };
        world.pause(wait).await;
        if failed {
            return ToolAnswer::Failed { code: "read_timeout".into(), message: "no complete answer in time".into() };
        }
        ToolAnswer::Answered { status: 200, content: json!({"ok": true}), truncated: false }
    }
    .boxed()
}
