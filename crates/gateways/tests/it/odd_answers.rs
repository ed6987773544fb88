//! Responses outside of the specifications (docs/spec/engine.md 5.4). Every provider runs through
//! all cases.
//!
//! The first table holds responses in a neutral form, which each provider writes in its own format.
//! The second holds bytes and statuses that any server may send. A new provider is a new entry of
//! `WIRES`.

use crate::llm_config::offline;
use crate::server::{self, Reply, Server};
use domain::chat::{
    ChatMessage, Ended, ModelFailure,
    ModelFailureKind::{self, BadHistory, Permanent, Temporary, TooLong},
    ModelRequest, ModelResponse,
};
use gateways::llm::{LlmSettings, ModelClient, OllamaProbe, Provider, ProviderName, Tuning, resolve};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// A provider and its format for responses.
struct Wire {
    name: ProviderName,
    write: fn(&ModelAnswer) -> Value,
}

const WIRES: &[Wire] = &[
    Wire { name: ProviderName::OpenAiCompatible, write: as_openai },
    Wire { name: ProviderName::OpenAi, write: as_openai },
    Wire { name: ProviderName::OpenRouter, write: as_openai },
];

/// Providers with a protocol of their own, whose answers are never written here: a failure has the
/// same class from every provider.
const NATIVE: &[Wire] =
    &[Wire { name: ProviderName::Anthropic, write: as_openai }, Wire { name: ProviderName::Google, write: as_openai }];

/// A response in a neutral form.
#[derive(Default)]
struct ModelAnswer {
    text: Option<String>,
    refusal: Option<&'static str>,
    /// Id, name, arguments as written.
    calls: Vec<(Option<&'static str>, &'static str, String)>,
    ended: Ended,
}

fn as_openai(answer: &ModelAnswer) -> Value {
    let calls: Vec<Value> = answer
        .calls
        .iter()
        .map(|(id, name, arguments)| {
            let mut call = json!({"type": "function", "function": {"name": name, "arguments": arguments}});
            if let Some(id) = id {
                call["id"] = json!(id);
            }
            call
        })
        .collect();
    let reason = match answer.ended {
        Ended::Whole if calls.is_empty() => "stop",
        Ended::Whole => "tool_calls",
        Ended::Cut => "length",
        Ended::Refused => "content_filter",
        Ended::Malformed => "MALFORMED_FUNCTION_CALL",
    };
    let mut message = json!({"role": "assistant", "content": answer.text});
    if let Some(refusal) = answer.refusal {
        message["refusal"] = json!(refusal);
    }
    if !calls.is_empty() {
        message["tool_calls"] = json!(calls);
    }
    json!({"model": "m", "choices": [{"index": 0, "finish_reason": reason, "message": message}]})
}

/// The same answer as a stream, in about twenty pieces.
fn as_stream(answer: &Value) -> String {
    let pieces = |text: &Value| -> Vec<String> {
        let all: Vec<char> = text.as_str().unwrap_or_default().chars().collect();
        all.chunks((all.len() / 20).max(3)).map(|piece| piece.iter().collect()).collect()
    };
    let message = &answer["choices"][0]["message"];
    let mut deltas = vec![json!({"role": "assistant", "content": ""})];
    for member in ["content", "refusal"] {
        deltas.extend(pieces(&message[member]).into_iter().map(|piece| json!({ member: piece })));
    }
    for (index, call) in message["tool_calls"].as_array().into_iter().flatten().enumerate() {
        let mut begins = call.clone();
        begins["index"] = json!(index);
        begins["function"]["arguments"] = json!("");
        deltas.push(json!({"tool_calls": [begins]}));
        let rest = pieces(&call["function"]["arguments"]).into_iter();
        deltas.extend(rest.map(|piece| json!({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})));
    }
    let chunk =
        |delta: &Value, reason: &Value| json!({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]});
    let mut text: String = deltas.iter().map(|delta| format!("data: {}\n\n", chunk(delta, &Value::Null))).collect();
    text += &format!("data: {}\n\ndata: [DONE]\n\n", chunk(&json!({}), &answer["choices"][0]["finish_reason"]));
    text
}

async fn ask(wire: &Wire, timeout: Duration, server: &Server) -> Result<ModelResponse, ModelFailure> {
    let settings = LlmSettings {
        provider: Some(wire.name),
        base_url: Some(server.url("/v1")),
        api_key: Some(SecretString::from("sk-very-secret")),
        model: Some(String::from("m")),
        tuning: Tuning { timeout: Some(timeout), ..Tuning::default() },
    };
    let provider: Provider =
        resolve(&ModelClient::new().unwrap(), &settings, &|_| None, &OllamaProbe::Off, &offline()).await.unwrap();
    let question = ModelRequest {
        system: String::from("be kind"),
        messages: vec![ChatMessage::user(String::from("hi"))],
        ..ModelRequest::default()
    };
    provider.complete(&question, "trace").await
}

const AMPLE: Duration = Duration::from_secs(30);

/// Sends one response through every provider, as a whole and as a stream.
async fn through_all(answer: ModelAnswer) -> Vec<(ProviderName, ModelResponse)> {
    let mut answers = Vec::new();
    for wire in WIRES {
        let body = (wire.write)(&answer);
        let events = as_stream(&body);
        let server = Server::start(move |_| server::json(200, &body)).await;
        answers.push((wire.name, ask(wire, AMPLE, &server).await.unwrap()));
        let server = Server::start(move |_| server::http(200, &[("Content-Type", "text/event-stream")], &events)).await;
        answers.push((wire.name, ask(wire, AMPLE, &server).await.unwrap()));
    }
    answers
}

fn calls(calls: &[(Option<&'static str>, &'static str, &str)]) -> ModelAnswer {
    ModelAnswer {
        calls: calls.iter().map(|(id, name, arguments)| (*id, *name, (*arguments).to_owned())).collect(),
        ..ModelAnswer::default()
    }
}

fn text(text: &str) -> ModelAnswer {
    ModelAnswer { text: Some(text.to_owned()), ..ModelAnswer::default() }
}

#[tokio::test]
async fn responses_are_read_alike_from_every_provider() {
    let filtered = |answer: ModelAnswer| ModelAnswer { ended: Ended::Refused, ..answer };
    let cut = |answer: ModelAnswer| ModelAnswer { ended: Ended::Cut, ..answer };
    // The response; then the expected text, calls as (id, name, arguments), and end.
    let cases: Vec<(&str, ModelAnswer, Option<&str>, Value, Ended)> = vec![
        ("plain text", text("hello"), Some("hello"), json!([]), Ended::Whole),
        ("null content", ModelAnswer::default(), None, json!([]), Ended::Whole),
        ("empty content", text(""), None, json!([]), Ended::Whole),
        (
            "a refusal",
            ModelAnswer { refusal: Some("I won't"), ..ModelAnswer::default() },
            Some("I won't"),
            json!([]),
            Ended::Refused,
        ),
        ("filtered, nothing left", filtered(ModelAnswer::default()), None, json!([]), Ended::Refused),
        ("filtered after some words", filtered(text("some")), Some("some"), json!([]), Ended::Refused),
        ("text that was cut", cut(text("once upon a")), Some("once upon a"), json!([]), Ended::Cut),
        (
            "a call that was cut",
            cut(calls(&[(Some("1"), "a", "{}"), (Some("2"), "b", r#"{"x": 1"#)])),
            None,
            json!([["1", "a", {}]]),
            Ended::Cut,
        ),
        ("a call before the limit", cut(calls(&[(Some("1"), "a", "{}")])), None, json!([["1", "a", {}]]), Ended::Cut),
        (
            "text and a call",
            ModelAnswer { text: Some("one moment".into()), ..calls(&[(Some("1"), "a", "{}")]) },
            Some("one moment"),
            json!([["1", "a", {}]]),
            Ended::Whole,
        ),
        (
            "arguments with slips",
            calls(&[(Some("1"), "a", r#"{"x": [1,],}<|im_end|>"#), (Some("2"), "a", r#"{"x": {"y": 1}"#)]),
            None,
            json!([["1", "a", {"x": [1]}], ["2", "a", {"x": {"y": 1}}]]),
            Ended::Whole,
        ),
        (
            "arguments that are no JSON",
            calls(&[(Some("1"), "a", r#"{"x": "broken o"#), (Some("2"), "a", "seven")]),
            None,
            json!([["1", "a", r#"{"x": "broken o"#], ["2", "a", "seven"]]),
            Ended::Whole,
        ),
        ("no arguments", calls(&[(Some("1"), "a", "")]), None, json!([["1", "a", {}]]), Ended::Whole),
        ("missing ids", calls(&[(None, "a", "{}")]), None, json!([["", "a", {}]]), Ended::Whole),
        (
            "repeated ids",
            calls(&[(Some("1"), "a", "{}"), (Some("1"), "b", "{}")]),
            None,
            json!([["1", "a", {}], ["1", "b", {}]]),
            Ended::Whole,
        ),
        (
            "a tool that was not offered",
            calls(&[(Some("1"), "rm -rf", "{}")]),
            None,
            json!([["1", "rm -rf", {}]]),
            Ended::Whole,
        ),
        ("text of odd characters", text("a\u{0}b\u{202e}c"), Some("a\u{0}b\u{202e}c"), json!([]), Ended::Whole),
    ];
    let count = cases.len();
    for (name, answer, words, called, ended) in cases {
        for (provider, answer) in through_all(answer).await {
            let case = format!("{name} from {provider:?}");
            assert_eq!(answer.text.as_deref(), words, "{case}");
            let got: Vec<Value> =
                answer.tool_calls.iter().map(|call| json!([call.id, call.name, call.arguments])).collect();
            assert_eq!(json!(got), called, "{case}");
            assert_eq!(answer.ended, ended, "{case}");
        }
    }
    eprintln!("{count} odd answers x {} providers", WIRES.len());
}

#[tokio::test]
async fn ten_mebibyte_response_is_cut_to_the_limits() {
    for (provider, answer) in through_all(text(&"é".repeat(5 << 20))).await {
        assert_eq!(answer.text.unwrap().len(), 64 << 10, "{provider:?}");
    }
    let long = format!("{{\"x\": \"{}\"}}", "y".repeat(10 << 20));
    for (provider, answer) in through_all(calls(&[(Some("1"), "a", &long)])).await {
        let arguments = answer.tool_calls[0].arguments.as_str().unwrap();
        assert_eq!(arguments.len(), 64 << 10, "{provider:?}: cut, so that no tool takes them");
    }
    let many: Vec<_> = (0..5_000).map(|_| (Some("1"), "a", String::from("{}"))).collect();
    for (provider, answer) in through_all(ModelAnswer { calls: many, ..ModelAnswer::default() }).await {
        assert_eq!(answer.tool_calls.len(), 128, "{provider:?}");
    }
}

struct Broken {
    name: &'static str,
    reply: fn() -> Reply,
    kind: ModelFailureKind,
    wait: Option<i64>,
}

fn error(status: u16, headers: &[(&str, &str)], code: &str, message: &str) -> Reply {
    let body = json!({"error": {"message": message, "type": "invalid_request_error", "code": code}});
    server::http(status, headers, body.to_string())
}

const fn broken(name: &'static str, reply: fn() -> Reply, kind: ModelFailureKind) -> Broken {
    Broken { name, reply, kind, wait: None }
}

const BROKEN: &[Broken] = &[
    broken("nothing at all", || Reply::Close, Temporary),
    broken("no HTTP", || Reply::Bytes(b"garbage\r\n\r\n".to_vec()), Temporary),
    broken("an empty body", || server::http(200, &[], ""), Temporary),
    broken("a page of HTML", || server::http(200, &[("Content-Type", "text/html")], "<html>busy"), Temporary),
    broken("a gateway's page", || server::http(502, &[], "<html>Bad Gateway"), Temporary),
    broken(
        "a cut stream",
        || Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"choi".to_vec()),
        Temporary,
    ),
    broken(
        "a cut chunked stream",
        || Reply::Bytes(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"cho\r\n".to_vec()),
        Temporary,
    ),
    broken("JSON that is no answer", || server::http(200, &[], "[]"), Temporary),
    broken("no choice", || server::http(200, &[], "{\"choices\":[]}"), Temporary),
    broken("17 MiB", || server::http(200, &[], "x".repeat(17 << 20)), Permanent),
    broken("a wrong key", || error(401, &[], "invalid_api_key", "incorrect key: sk-very-secret"), Permanent),
    broken("no permission", || error(403, &[], "forbidden", "no"), Permanent),
    broken("no such model", || error(404, &[], "model_not_found", "no such model"), Permanent),
    broken("a redirect", || server::http(307, &[("Location", "http://127.0.0.1:1/")], ""), Permanent),
    broken("a bad request", || error(400, &[], "invalid_value", "no"), Permanent),
    broken("no credit", || error(429, &[("Retry-After", "1")], "insufficient_quota", "pay first"), Permanent),
    broken("overloaded", || server::http(529, &[], ""), Temporary),
    broken("a conflict", || server::http(409, &[], ""), Temporary),
    broken(
        "too long by its code",
        || error(400, &[], "context_length_exceeded", "This model's maximum context length is 8192 tokens"),
        TooLong,
    ),
    broken("too long by its words", || error(400, &[], "", "prompt is too long: 9 tokens > 8 maximum"), TooLong),
    broken("too long by its size", || server::http(413, &[], ""), TooLong),
    broken(
        "a call without a result",
        || error(400, &[], "", "The following tool_call_ids did not have response messages: call_1"),
        BadHistory,
    ),
    Broken {
        name: "slow down, in seconds",
        reply: || server::http(429, &[("Retry-After", "7")], ""),
        kind: Temporary,
        wait: Some(7_000),
    },
    Broken {
        name: "slow down, in milliseconds",
        reply: || server::http(429, &[("Retry-After", "1"), ("Retry-After-Ms", "350")], ""),
        kind: Temporary,
        wait: Some(350),
    },
    Broken {
        name: "slow down until a time",
        reply: || {
            let date = ("Date", "Wed, 21 Oct 2026 07:28:00 GMT");
            server::http(429, &[date, ("Retry-After", "Wed, 21 Oct 2026 07:28:30 GMT")], "")
        },
        kind: Temporary,
        wait: Some(30_000),
    },
    broken("slow down, without a delay", || server::http(429, &[("Retry-After", "soon")], ""), Temporary),
    Broken {
        name: "unavailable for a while",
        reply: || server::http(503, &[("Retry-After", "0.5")], ""),
        kind: Temporary,
        wait: Some(500),
    },
];

#[tokio::test]
async fn broken_responses_are_classified_for_retries() {
    for wire in WIRES.iter().chain(NATIVE) {
        for case in BROKEN {
            let reply = case.reply;
            let server = Server::start(move |_| reply()).await;
            let failure = ask(wire, AMPLE, &server).await.unwrap_err();
            let name = format!("{} from {:?}: {failure:?}", case.name, wire.name);
            assert_eq!((failure.kind, failure.retry_after_ms), (case.kind, case.wait), "{name}");
            assert!(!failure.message.contains("sk-very") && failure.message.chars().count() < 400, "{name}");
            assert_eq!(server.connections(), 1, "{name}: asked once");
        }
    }
    eprintln!("{} broken answers x {} providers", BROKEN.len(), WIRES.len());
}

#[tokio::test]
async fn silent_or_dripping_model_times_out() {
    let replies: [fn() -> Reply; 3] = [
        || Reply::Hang,
        || Reply::Drip(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n{".to_vec()),
        || Reply::Drip(b"HTTP/1.1 200 OK\r\nX-Slow: ".to_vec()),
    ];
    for wire in WIRES {
        for reply in replies {
            let server = Server::start(move |_| reply()).await;
            let failure = ask(wire, Duration::from_millis(200), &server).await.unwrap_err();
            assert_eq!(failure.kind, Temporary, "{:?}: {failure:?}", wire.name);
        }
    }
}

#[tokio::test]
async fn endless_response_is_cut() {
    for wire in WIRES {
        let server = Server::start(|_| Reply::Flood(b"HTTP/1.1 200 OK\r\n\r\n{".to_vec(), vec![b' '; 1 << 20])).await;
        assert_eq!(ask(wire, AMPLE, &server).await.unwrap_err().kind, Permanent, "{:?}", wire.name);
    }
}

/// Forms that occur with chat-completions servers only.
#[tokio::test]
async fn unusual_chat_completions_are_read() {
    let named = |arguments: Value| json!({"name": "a", "arguments": arguments});
    for (message, expected) in [
        (json!({"function_call": named(json!("{\"x\": 1}"))}), json!([["", "a", {"x": 1}]])),
        (json!({"tool_calls": [{"id": "1", "function": named(json!({"x": 1}))}]}), json!([["1", "a", {"x": 1}]])),
        (json!({"tool_calls": null, "content": "hi"}), json!([])),
        (json!({"tool_calls": ["nonsense", {"id": 7, "function": {}}]}), json!([["", "", {}]])),
        (json!({"content": [{"type": "text", "text": "hi"}]}), json!([])),
    ] {
        let body = Arc::new(json!({"choices": [{"message": message}]}));
        let server = Server::start(move |_| server::json(200, &body)).await;
        let answer = ask(&WIRES[0], AMPLE, &server).await.unwrap();
        let got: Vec<Value> =
            answer.tool_calls.iter().map(|call| json!([call.id, call.name, call.arguments])).collect();
        assert_eq!(json!(got), expected, "{message}");
    }
    for body in [
        json!({"error": {"code": 503, "message": "upstream"}}),
        json!({"error": "busy"}),
        json!({"choices": [{"error": {"code": 502, "message": "upstream broke"}, "message": {"content": "half"}}]}),
    ] {
        let reply = body.clone();
        let server = Server::start(move |_| server::json(200, &reply)).await;
        assert_eq!(ask(&WIRES[0], AMPLE, &server).await.unwrap_err().kind, Temporary, "{body}");
    }
}
