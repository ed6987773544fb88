//! Rules of chat-completions servers.

use super::{
    chat, gemini,
    kinds::{Rule, push, without_results},
};
use serde_json::{Value, json};

pub(super) const NO_MESSAGES: Rule = rule!(
    "no_messages",
    400,
    chat::no_messages,
    member!("messages", Vec::<Value>::new()),
    "https://platform.openai.com/docs/api-reference/chat/create"
);
pub(super) const UNANSWERED: Rule = rule!(
    "unanswered",
    400,
    chat::unanswered,
    without_results,
    "https://community.openai.com/t/an-assistant-message-with-tool-calls-must-be-followed-by-tool-messages/676061"
);
pub(super) const NULL_CONTENT: Rule = rule!(
    "null_content",
    400,
    chat::null_content,
    message!({"role": "user", "content": null}),
    "https://platform.openai.com/docs/api-reference/chat/create"
);
pub(super) const BAD_NAME: Rule = rule!(
    "bad_name",
    400,
    chat::bad_name,
    |request| request["tools"][0]["function"]["name"] = "a b".into(),
    "https://platform.openai.com/docs/guides/function-calling"
);
pub(super) const LONG_DESCRIPTION: Rule = rule!(
    "long_description",
    400,
    chat::long_description,
    |request| request["tools"][0]["function"]["description"] = "x".repeat(1_025).into(),
    "https://community.openai.com/t/function-call-description-max-length/529902"
);
pub(super) const SAME_TOOL_TWICE: Rule = rule!(
    "same_tool_twice",
    400,
    chat::same_tool_twice,
    |request| {
        let tool = request["tools"][0].clone();
        push(request, "tools", tool);
    },
    "https://platform.openai.com/docs/guides/function-calling"
);
pub(super) const BAD_SCHEMA: Rule = rule!(
    "bad_schema",
    400,
    chat::bad_schema,
    |request| request["tools"][0]["function"]["parameters"] = json!({"anyOf": []}),
    "https://github.com/openai/openai-python/issues/1722"
);
pub(super) const ARGUMENTS_NOT_JSON: Rule = rule!(
    "arguments_not_json",
    500,
    chat::arguments_not_json,
    |request| request["messages"][2]["tool_calls"][0]["function"]["arguments"] = "{broken".into(),
    "https://github.com/noonghunna/club-3090/issues/665"
);
pub(super) const OLD_LIMIT_NAME: Rule = rule!(
    "old_limit_name",
    400,
    chat::old_limit_name,
    member!("max_tokens", 5),
    "https://github.com/microsoft/clarity-agent/issues/59"
);
pub(super) const NEW_LIMIT_NAME: Rule = rule!(
    "new_limit_name",
    400,
    chat::new_limit_name,
    member!("max_completion_tokens", 5),
    "https://docs.mistral.ai/api/"
);
pub(super) const TEMPERATURE: Rule = rule!(
    "temperature",
    400,
    chat::temperature,
    member!("temperature", 0.2),
    "https://github.com/decolua/9router/issues/560"
);
pub(super) const EFFORT: Rule = rule!(
    "effort",
    400,
    chat::effort,
    member!("reasoning_effort", "low"),
    "https://platform.openai.com/docs/guides/reasoning"
);
pub(super) const OPTIONS_WITHOUT_STREAM: Rule = rule!(
    "options_without_stream",
    400,
    chat::options_without_stream,
    member!("stream_options", json!({"include_usage": true})),
    "https://github.com/BerriAI/litellm/issues/5803"
);
pub(super) const STREAM_OPTIONS: Rule = rule!(
    "stream_options",
    422,
    chat::stream_options,
    member!("stream_options", json!({"include_usage": true})),
    "https://github.com/avante-corp/avante.nvim/issues/2347"
);
pub(super) const STREAM_UNVERIFIED: Rule = rule!(
    "stream_unverified",
    400,
    chat::stream_unverified,
    member!("stream", true),
    "https://github.com/charmbracelet/crush/issues/422"
);
pub(super) const CALL_ID_FORM: Rule = rule!(
    "call_id_form",
    400,
    chat::call_id_form,
    |request| {
        request["messages"][2]["tool_calls"][0]["id"] = "call_1".into();
        request["messages"][3]["tool_call_id"] = "call_1".into();
    },
    "https://github.com/langchain-ai/langchain/pull/24668"
);
pub(super) const LONG_CALL_ID: Rule = rule!(
    "long_call_id",
    400,
    chat::long_call_id,
    |request| {
        let id = "x".repeat(41);
        request["messages"][2]["tool_calls"][0]["id"] = id.clone().into();
        request["messages"][3]["tool_call_id"] = id.into();
    },
    "https://community.openai.com/t/string-too-long-tool-call-id/1096399"
);
pub(super) const USER_AFTER_TOOL: Rule = rule!(
    "user_after_tool",
    400,
    chat::user_after_tool,
    |request| {
        if let Some(all) = request["messages"].as_array_mut() {
            all.remove(4);
        }
    },
    "https://github.com/BerriAI/litellm/issues/17761"
);
pub(super) const TOOL_AFTER_USER: Rule = rule!(
    "tool_after_user",
    400,
    chat::tool_after_user,
    message!({"role": "tool", "tool_call_id": "a1B2c3D4e", "content": "3"}),
    "https://github.com/charmbracelet/crush/issues/279"
);
pub(super) const ENDS_WITH_ASSISTANT: Rule = rule!(
    "ends_with_assistant",
    400,
    chat::ends_with_assistant,
    message!({"role": "assistant", "content": "x"}),
    "https://github.com/0xPlaygrounds/rig/pull/1130"
);
pub(super) const TWO_ASSISTANTS: Rule = rule!(
    "two_assistants_at_the_end",
    400,
    chat::two_assistants_at_the_end,
    |request| for _ in 0..2 {
        push(request, "messages", json!({"role": "assistant", "content": "x"}));
    },
    "https://github.com/co-l/openfox/issues/367"
);
pub(super) const ROLES_ALTERNATE: Rule = rule!(
    "roles_alternate",
    400,
    chat::roles_alternate,
    message!({"role": "user", "content": "again"}),
    "https://github.com/vllm-project/vllm/issues/6862"
);
pub(super) const SECOND_SYSTEM: Rule = rule!(
    "second_system",
    400,
    chat::second_system,
    message!({"role": "system", "content": "x"}),
    "https://github.com/suitenumerique/conversations/issues/197"
);
pub(super) const EMPTY_ASSISTANT: Rule = rule!(
    "empty_assistant",
    400,
    chat::empty_assistant,
    message!({"role": "assistant", "content": ""}),
    "https://github.com/docker/docker-agent/issues/138"
);
pub(super) const BLANK_CONTENT: Rule = rule!(
    "blank_content",
    400,
    chat::blank_content,
    message!({"role": "user", "content": " "}),
    "https://github.com/experientiallabs/experiential/pull/804"
);
pub(super) const REASONING_MISSING: Rule = rule!(
    "reasoning_missing",
    400,
    chat::reasoning_missing,
    |request| {
        if let Some(message) = request["messages"][2].as_object_mut() {
            message.remove("reasoning_content");
        }
    },
    "https://github.com/continuedev/continue/issues/10193"
);
pub(super) const UNKNOWN_MEMBER: Rule = rule!(
    "unknown_member",
    400,
    chat::unknown_member,
    message!({"role": "user", "content": "x", "reasoning_details": []}),
    "https://github.com/tidyverse/ellmer/issues/162"
);
pub(super) const SIGNATURE_MISSING: Rule = rule!(
    "signature_missing",
    400,
    chat::signature_missing,
    |request| request["messages"][2]["tool_calls"][0]["extra_content"] = Value::Null,
    "https://ai.google.dev/gemini-api/docs/thought-signatures"
);

pub(super) const BAD_SCHEMA_OF_GEMINI: Rule = rule!(
    "bad_schema",
    400,
    gemini::chat_schema,
    |request| request["tools"][0]["function"]["parameters"] = json!({"type": "object"}),
    "https://ai.google.dev/gemini-api/docs/openai"
);
