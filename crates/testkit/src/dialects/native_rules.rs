//! Rules of Anthropic's Messages and Gemini's generateContent.

use super::{
    anthropic, gemini,
    kinds::{Rule, push},
    pictures::{FORM_OF_ANTHROPIC, FORM_OF_GEMINI},
};
use serde_json::{Value, json};

pub(super) static ANTHROPIC: &[Rule] = &[
    rule!(
        "no_limit",
        400,
        anthropic::no_limit,
        member!("max_tokens", Value::Null),
        "https://docs.anthropic.com/en/api/messages"
    ),
    rule!(
        "no_messages",
        400,
        anthropic::no_messages,
        member!("messages", Vec::<Value>::new()),
        "https://docs.anthropic.com/en/api/messages"
    ),
    rule!(
        "system_message",
        400,
        anthropic::system_message,
        message!({"role": "system", "content": [{"type": "text", "text": "x"}]}),
        "https://docs.anthropic.com/en/api/messages"
    ),
    rule!(
        "begins_with_assistant",
        400,
        anthropic::begins_with_assistant,
        |request| if let Some(all) = request["messages"].as_array_mut() {
            all.remove(0);
        },
        "https://docs.anthropic.com/en/api/messages"
    ),
    rule!(
        "roles_alternate",
        400,
        anthropic::roles_alternate,
        message!({"role": "user", "content": [{"type": "text", "text": "x"}]}),
        "https://docs.anthropic.com/en/docs/build-with-claude/working-with-messages"
    ),
    rule!(
        "ends_with_assistant",
        400,
        anthropic::ends_with_assistant,
        message!({"role": "assistant", "content": [{"type": "text", "text": "x"}]}),
        "https://docs.anthropic.com/en/docs/build-with-claude/prompt-engineering/prefill-claudes-response"
    ),
    rule!(
        "blank_text",
        400,
        anthropic::blank_text,
        |request| request["messages"][0]["content"][0]["text"] = " ".into(),
        "https://github.com/experientiallabs/experiential/pull/804"
    ),
    rule!(
        "unanswered",
        400,
        anthropic::unanswered,
        |request| request["messages"][2]["content"] = json!([{"type": "text", "text": "x"}]),
        "https://github.com/lidge-jun/opencodex/issues/620"
    ),
    rule!(
        "results_after_text",
        400,
        anthropic::results_after_text,
        |request| if let Some(all) = request["messages"][2]["content"].as_array_mut() {
            all.reverse();
        },
        "https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/implement-tool-use"
    ),
    rule!(
        "call_id_form",
        400,
        anthropic::call_id_form,
        |request| request["messages"][1]["content"][0]["id"] = "a.b".into(),
        "https://github.com/langchain-ai/langchain/pull/24668"
    ),
    rule!(
        "same_call_twice",
        400,
        anthropic::same_call_twice,
        |request| {
            let call = request["messages"][1]["content"][0].clone();
            if let Some(all) = request["messages"][1]["content"].as_array_mut() {
                all.push(call);
            }
        },
        "https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/implement-tool-use"
    ),
    rule!(
        "input_not_object",
        400,
        anthropic::input_not_object,
        |request| request["messages"][1]["content"][0]["input"] = "x".into(),
        "https://docs.anthropic.com/en/api/messages"
    ),
    rule!(
        "tools_not_defined",
        400,
        anthropic::tools_not_defined,
        member!("tools", Vec::<Value>::new()),
        "https://github.com/BerriAI/litellm/issues/5388"
    ),
    rule!(
        "union_at_the_top",
        400,
        anthropic::union_at_the_top,
        |request| request["tools"][0]["input_schema"] = json!({"anyOf": []}),
        "https://github.com/anthropics/claude-code/issues/10606"
    ),
    rule!(
        "temperature",
        400,
        anthropic::temperature,
        member!("temperature", 1.5),
        "https://docs.anthropic.com/en/api/messages"
    ),
    rule!(
        "removed_temperature",
        400,
        anthropic::removed_temperature,
        |request| {
            request["model"] = json!("claude-opus-4-7");
            request["temperature"] = json!(0.2);
        },
        "https://github.com/altic-dev/FluidVoice/issues/285"
    ),
    rule!(
        "trailing_space",
        400,
        anthropic::trailing_space,
        message!({"role": "assistant", "content": [{"type": "text", "text": "x "}]}),
        "https://docs.anthropic.com/en/docs/build-with-claude/prompt-engineering/prefill-claudes-response"
    ),
    FORM_OF_ANTHROPIC,
];

pub(super) static GEMINI: &[Rule] = &[
    rule!(
        "no_contents",
        400,
        gemini::no_contents,
        member!("contents", Vec::<Value>::new()),
        "https://ai.google.dev/api/generate-content"
    ),
    rule!(
        "bad_role",
        400,
        gemini::bad_role,
        |request| request["contents"][0]["role"] = "assistant".into(),
        "https://ai.google.dev/api/caching#Content"
    ),
    rule!(
        "empty_parts",
        400,
        gemini::empty_parts,
        |request| request["contents"][0]["parts"] = json!([]),
        "https://github.com/google-gemini/generative-ai-js/issues/72"
    ),
    rule!(
        "call_after_model",
        400,
        gemini::call_after_model,
        |request| if let Some(all) = request["contents"].as_array_mut() {
            all.insert(1, json!({"role": "model", "parts": [{"text": "x"}]}));
        },
        "https://github.com/google-gemini/cookbook/issues/393"
    ),
    rule!(
        "unanswered",
        400,
        gemini::unanswered,
        |request| if let Some(all) = request["contents"].as_array_mut() {
            all.pop();
        },
        "https://github.com/google-gemini/cookbook/issues/393"
    ),
    rule!(
        "ends_with_model",
        400,
        gemini::ends_with_model,
        |request| push(request, "contents", json!({"role": "model", "parts": [{"text": "x"}]})),
        "https://ai.google.dev/gemini-api/docs/text-generation"
    ),
    rule!(
        "begins_with_model",
        400,
        gemini::begins_with_model,
        |request| if let Some(all) = request["contents"].as_array_mut() {
            all.insert(0, json!({"role": "model", "parts": [{"text": "x"}]}));
        },
        "https://ai.google.dev/gemini-api/docs/text-generation"
    ),
    rule!(
        "args_not_object",
        400,
        gemini::args_not_object,
        |request| request["contents"][1]["parts"][0]["functionCall"]["args"] = "x".into(),
        "https://ai.google.dev/api/caching#FunctionCall"
    ),
    rule!(
        "bad_name",
        400,
        gemini::bad_name,
        |request| request["tools"][0]["functionDeclarations"][0]["name"] = "1x".into(),
        "https://ai.google.dev/api/caching#FunctionDeclaration"
    ),
    rule!(
        "unknown_keyword",
        400,
        gemini::unknown_keyword,
        |request| request["tools"][0]["functionDeclarations"][0]["parameters"]["additionalProperties"] = false.into(),
        "https://ai.google.dev/api/caching#Schema"
    ),
    rule!(
        "incomplete_schema",
        400,
        gemini::incomplete_schema,
        |request| request["tools"][0]["functionDeclarations"][0]["parameters"] = json!({"type": "object"}),
        "https://github.com/google/generative-ai-docs/issues/548"
    ),
    rule!(
        "signature_missing",
        400,
        gemini::signature_missing,
        |request| if let Some(part) = request["contents"][1]["parts"][0].as_object_mut() {
            part.remove("thoughtSignature");
        },
        "https://ai.google.dev/gemini-api/docs/thought-signatures"
    ),
    FORM_OF_GEMINI,
];
