//! Prompts, labels and requests with variables to fill in.

use super::play::{Asks, Play, compiled, graph};
use crate::measure::{Bound, Case, Kind, MIB};
use domain::{json::bytes_of, tool_request::ToolAnswer};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, hint::black_box};

/// Limits that are checked before a value gets here: of variables (`engine::limits`), of a contact's
/// metadata, of secrets and messages.
const VARIABLES: usize = 64;
const VARIABLE: usize = 1_024;
const METADATA: usize = 16 << 10;
const SECRET: usize = 8 << 10;
const MESSAGE: usize = 4_096;
/// Of one call: `gateways/src/llm/bounds.rs`.
const ARGUMENTS: usize = 64 << 10;

pub static KIND: Kind = Kind {
    name: "template",
    bound: Bound { work: (120, 96 * MIB), peak: (40, 24 * MIB) },
    most: 1 << 20,
    seeds,
    words: &[
        "{{vars.v}}",
        "{{vars.k0}}",
        "{{contact.metadata.m}}",
        "{{contact.metadata}}",
        "{{last_user_input}}",
        "{{vars}}",
        "{{secrets.s}}",
        "{{secrets.k0}}",
        "{{now}}",
        "{{missing.x}}",
        "#{a}",
        "#{k0}",
        "#{",
        "{{",
        "}}",
        "{",
        "%",
        "<",
        "\"",
        "\\",
        "\n",
        "é",
        "https://shop.example/",
        "/",
        "?q=",
        "prompt",
        "label",
        "webhook",
        "url",
        "headers",
        "body",
        "vars",
        "metadata",
        "text",
        "arguments",
        "secrets",
        "system_prompt",
        "v",
        "m",
        "a",
        "s",
        "body_schema",
        "s3cr3t",
        "s3cr3t0x",
        "<!--",
        "-->",
    ],
    prepare,
};

fn seeds() -> Vec<Value> {
    let many = |of: &str, times: u64| json!({"$text": [{"$times": times, "of": of}]});
    let webhook = |body: Value| json!({"url": "https://shop.example/#{a}", "http_method": "POST", "body": body});
    let vars = json!({"v": many("x", 1_000)});
    vec![
        json!({"prompt": many("{{vars.v}}", 500), "vars": vars}),
        json!({"system_prompt": many("{{contact.metadata.m}}", 100), "metadata": {"m": many("<", 4_000)}}),
        json!({"label": many("{{vars.v}}", 100), "vars": vars}),
        json!({"webhook": webhook(json!([{"$times": 500, "of": many("#{a}", 10)}])), "arguments": {"a": many("y", 200)}}),
        json!({"webhook": webhook(json!({"$text": ["[", {"$times": 300, "of": "\"#{a}\","}, "1]"]})), "arguments": {"a": many("\\", 200)}}),
        json!({"webhook": webhook(json!({"$fields": 60, "name": "f$i", "of": "{{secrets.k$i}}"})), "secrets": {"$fields": 60, "name": "k$i", "of": many("s", 100)}}),
        json!({"webhook": {"url": {"$text": ["https://shop.example/", {"$times": 100, "of": "#{a}"}]}, "headers": {"X": "#{a}"}}, "arguments": {"a": many("é", 100)}}),
        json!({"webhook": {"url": "{{vars.v}}/x", "http_method": "POST", "body": {"a": "{{last_user_input}}"}}, "vars": {"v": "https://shop.example"}, "text": many("\"", 2_000)}),
        json!({"webhook": {"url": "https://shop.example/", "http_method": "POST",
            "body_schema": {"type": "object", "properties": {"$fields": 20, "name": "k$i", "of": {"type": "string"}}}},
            "arguments": {"$fields": 20, "name": "k$i", "of": many("z", 100)}}),
        json!({"prompt": many("{{nothing.$i}}", 500), "label": many("{{nothing.x$i}}", 100)}),
    ]
}

fn texts(value: Option<&Value>, each: usize, most: usize) -> Option<Map<String, Value>> {
    let Some(value) = value else { return Some(Map::new()) };
    let fields = value.as_object()?.clone();
    let fits = fields.iter().all(|(name, value)| name.len() + bytes_of(value) <= each);
    (fields.len() <= most && fits).then_some(fields)
}

fn prepare(input: &Value) -> Option<Case> {
    let bytes = bytes_of(input);
    let vars = texts(input.get("vars"), VARIABLE, VARIABLES)?;
    let metadata = texts(input.get("metadata"), METADATA, VARIABLES)?;
    let secrets = texts(input.get("secrets"), SECRET, usize::MAX)?;
    let text = input.get("text").map_or(Some("Hello"), Value::as_str)?.to_owned();
    if text.len() > MESSAGE || bytes_of(&metadata) > METADATA {
        return None;
    }
    let secrets: BTreeMap<String, String> =
        secrets.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned()))).collect();
    let mut webhook = json!({"description": "Books", "url": "https://shop.example/"});
    for (name, value) in input.get("webhook").and_then(Value::as_object).into_iter().flatten() {
        webhook[name] = value.clone();
    }
    webhook["name"] = "orders".into();
    let field = |name: &str, default: &str| input.get(name).cloned().unwrap_or_else(|| default.into());
    let graph = graph(&field("prompt", "Help."), &field("label", "done"), &json!({"webhooks": [webhook]}));
    let system_prompt = input.get("system_prompt").and_then(Value::as_str).map(str::to_owned);
    let arguments = field("arguments", "{}");
    if bytes_of(&arguments) > ARGUMENTS {
        return None;
    }
    let work = move || {
        let Some(agent) = compiled(&graph, system_prompt.as_deref()) else { return };
        let mut play = Play::new(&agent, &vars, &metadata);
        let Asks::Model(effect) = play.say(&text) else { return };
        let Asks::Tool(effect, request, marks) = play.call(effect, "orders_request", &arguments) else { return };
        black_box(marks.fill(&request, &secrets));
        let answer = ToolAnswer::Answered { status: 200, content: json!({"ok": true}), truncated: false };
        play.answer(effect, answer, &secrets);
    };
    Some(Case { bytes, work: Box::new(work) })
}
