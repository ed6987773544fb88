//! The chat-completions protocol.

use crate::server::{self, Reply, Server};
use domain::{
    agent::LlmConfig,
    chat::{
        ChatMessage, Ended, ModelFailure, ModelFailureKind, ModelRequest, ModelResponse, Rendering, ToolCall, Usage,
    },
};
use gateways::llm::{
    Dialect, LlmSettings, ModelClient, OllamaProbe, ProviderName, Tuning, check,
    openai::{Endpoint, OpenAi},
    rendered, resolve,
};
use secrecy::SecretString;
use serde_json::json;
use std::time::Duration;

const KEY: &str = "sk-very-secret";

fn question() -> ModelRequest {
    ModelRequest {
        system: String::from("be kind"),
        messages: vec![ChatMessage::user(String::from("hi"))],
        tools: vec![],
        ..ModelRequest::default()
    }
}

fn model(base_url: String) -> OpenAi {
    OpenAi::new(
        ModelClient::new().unwrap(),
        Endpoint {
            provider: String::from("OpenAICompatible"),
            dialect: Dialect::Compatible,
            base_url,
            api_key: Some(SecretString::from(KEY)),
            model: String::from("m"),
            tuning: Tuning { timeout: Some(Duration::from_secs(5)), ..Tuning::default() },
        },
    )
}

async fn ask(reply: impl Fn() -> Reply + Send + Sync + 'static) -> Result<ModelResponse, ModelFailure> {
    let server = Server::start(move |_| reply()).await;
    let answer = model(server.url("/v1")).complete(&question(), "trace-1").await;
    assert_eq!(server.connections(), 1, "a question is asked once");
    answer
}

#[tokio::test]
async fn request_is_sent_and_response_read() {
    let server = Server::start(|_| {
        server::json(
            200,
            &json!({
                "model": "m-2026",
                "choices": [{"finish_reason": "tool_calls", "message": {
                    "content": "one moment",
                    "tool_calls": [{"id": "c1", "type": "function",
                        "function": {"name": "find", "arguments": "{\"q\":\"red\"}"}}],
                }}],
                "usage": {"prompt_tokens": 10, "completion_tokens": 2,
                    "prompt_tokens_details": {"cached_tokens": 8}},
            }),
        )
    })
    .await;
    let model = model(server.url("/v1/"));
    let answer = model.complete(&question(), "trace-1").await.unwrap();
    assert_eq!(
        answer,
        ModelResponse {
            text: Some(String::from("one moment")),
            tool_calls: vec![ToolCall {
                id: String::from("c1"),
                name: String::from("find"),
                arguments: json!({"q": "red"}),
            }],
            usage: Usage { input_tokens: 10, output_tokens: 2, cached_tokens: 8 },
            model: String::from("m-2026"),
            ended: Ended::Whole,
            rendering: Some(Box::new(Rendering {
                dialect: "compatible".into(),
                adapted: vec![],
                streamed: true,
                ..Rendering::default()
            })),
            ..ModelResponse::default()
        }
    );
    let request = server.requests()[0].clone();
    assert_eq!(request.line, "POST /v1/chat/completions HTTP/1.1");
    assert_eq!(request.header("authorization"), Some("Bearer sk-very-secret"));
    assert_eq!(request.header("idempotency-key"), Some("trace-1"));
    assert_eq!(request.json()["messages"][0]["role"], "system");
    assert_eq!(model.describe().model, "m");
    assert!(!format!("{model:?}").contains(KEY));
}

#[tokio::test]
async fn status_decides_whether_a_retry_may_help() {
    for (status, kind) in [
        (400, ModelFailureKind::Permanent),
        (401, ModelFailureKind::Permanent),
        (403, ModelFailureKind::Permanent),
        (404, ModelFailureKind::Permanent),
        (307, ModelFailureKind::Permanent),
        (408, ModelFailureKind::Temporary),
        (409, ModelFailureKind::Temporary),
        (429, ModelFailureKind::Temporary),
        (500, ModelFailureKind::Temporary),
        (529, ModelFailureKind::Temporary),
    ] {
        let failure = ask(move || server::http(status, &[("Retry-After", "2")], "")).await;
        let failure = failure.unwrap_err();
        assert_eq!(failure.kind, kind, "{status}");
        let wait = (kind == ModelFailureKind::Temporary).then_some(2_000);
        assert_eq!(failure.retry_after_ms, wait, "{status}");
    }
}

#[tokio::test]
async fn broken_responses_and_connections_are_temporary() {
    let cases: [fn() -> Reply; 5] = [
        || Reply::Close,
        || server::http(200, &[], "<html>"),
        || server::http(200, &[], "{\"choices\":[]}"),
        || Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{".to_vec()),
        || server::json(200, &json!({"error": {"code": 503, "message": "upstream"}})),
    ];
    for (number, reply) in cases.into_iter().enumerate() {
        assert_eq!(ask(reply).await.unwrap_err().kind, ModelFailureKind::Temporary, "case {number}");
    }
    let closed = format!("http://127.0.0.1:{}", server::closed_port().await);
    let failure = model(closed).complete(&question(), "").await.unwrap_err();
    assert_eq!(failure.kind, ModelFailureKind::Temporary);
}

#[tokio::test]
async fn model_timeout_is_temporary() {
    let server = Server::start(|_| Reply::Hang).await;
    let endpoint = Endpoint {
        provider: String::from("OpenAI"),
        dialect: Dialect::OpenAi,
        base_url: server.url("/v1"),
        api_key: None,
        model: String::from("m"),
        tuning: Tuning { timeout: Some(Duration::from_millis(50)), ..Tuning::default() },
    };
    let model = OpenAi::new(ModelClient::new().unwrap(), endpoint);
    let failure = model.complete(&question(), "t").await.unwrap_err();
    assert_eq!(failure.kind, ModelFailureKind::Temporary);
    assert!(failure.message.contains("timed out"), "{}", failure.message);
}

#[tokio::test]
async fn error_messages_do_not_contain_the_key() {
    let body = json!({"error": {"message": "incorrect API key provided: sk-very-secret"}});
    let failure = ask(move || server::json(401, &body)).await.unwrap_err();
    assert_eq!(failure.message, "HTTP 401: incorrect API key provided: [redacted]");
}

#[tokio::test]
async fn invalid_base_url_fails_permanently() {
    let failure = model(String::from("not a url")).complete(&question(), "t").await.unwrap_err();
    assert_eq!(failure.kind, ModelFailureKind::Permanent);
}

#[tokio::test]
async fn agent_configuration_applies_to_its_provider_only() {
    let server = Server::start(|_| server::json(200, &json!({"choices": [{}]}))).await;
    let model = model(server.url("/v1"));
    let own = LlmConfig {
        provider_model_name: Some(String::from("theirs")),
        temperature: Some(0.7),
        max_tokens: Some(99),
        ..LlmConfig::default()
    };
    let another = LlmConfig { provider_name: Some(String::from("Anthropic")), ..own.clone() };
    let thinks = LlmConfig {
        reasoning_model: Some(true),
        reasoning_effort: Some(String::from("high")),
        provider_name: Some(String::from("openaicompatible")),
        ..own.clone()
    };
    for llm in [own, another, thinks] {
        model.complete(&ModelRequest { llm, ..question() }, "t").await.unwrap();
    }
    let asked: Vec<_> = server.requests().iter().map(server::Request::json).collect();
    assert_eq!(
        (&asked[0]["model"], &asked[0]["temperature"], &asked[0]["max_tokens"]),
        (&json!("theirs"), &json!(0.7), &json!(99))
    );
    assert_eq!(asked[1]["model"], "m");
    assert_eq!((&asked[2]["model"], &asked[2]["reasoning_effort"]), (&json!("theirs"), &json!("high")));
    assert!(asked[2].get("temperature").is_none());
}

#[tokio::test]
async fn agent_timeout_is_used() {
    let server = Server::start(|_| Reply::Hang).await;
    let endpoint = Endpoint {
        provider: String::from("OpenAI"),
        dialect: Dialect::OpenAi,
        base_url: server.url("/v1"),
        api_key: None,
        model: String::from("m"),
        tuning: Tuning::default(),
    };
    let model = OpenAi::new(ModelClient::new().unwrap(), endpoint);
    let llm = LlmConfig { timeout_s: Some(0), ..LlmConfig::default() };
    let began = std::time::Instant::now();
    model.complete(&ModelRequest { llm, ..question() }, "t").await.unwrap_err();
    assert!((1..60).contains(&began.elapsed().as_secs()), "at least a second, far below the default");
}

async fn native(provider: ProviderName, server: &Server) -> gateways::llm::Provider {
    let settings = LlmSettings {
        provider: Some(provider),
        base_url: Some(server.url("")),
        api_key: Some(SecretString::from(KEY)),
        model: Some(String::from("m")),
        ..LlmSettings::default()
    };
    let offline = crate::llm_config::offline();
    resolve(&ModelClient::new().unwrap(), &settings, &|_| None, &OllamaProbe::Off, &offline).await.unwrap()
}

#[tokio::test]
async fn native_providers_send_their_own_headers_and_read_their_own_answers() {
    let anthropic = json!({"model": "claude", "content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn"});
    let gemini = json!({"modelVersion": "gemini", "candidates": [{"content": {"parts": [{"text": "hi"}]}, "finishReason": "STOP"}]});
    for (provider, body, line, header) in [
        (ProviderName::Anthropic, anthropic, "POST /v1/messages HTTP/1.1", "x-api-key"),
        (
            ProviderName::Google,
            gemini,
            "POST /v1beta/models/m:streamGenerateContent?alt=sse HTTP/1.1",
            "x-goog-api-key",
        ),
    ] {
        let server = Server::start(move |_| server::json(200, &body)).await;
        let answer = native(provider, &server).await.complete(&question(), "trace-1").await.unwrap();
        assert_eq!(answer.text.as_deref(), Some("hi"));
        let request = server.requests()[0].clone();
        assert_eq!((request.line.as_str(), request.header(header)), (line, Some(KEY)));
        assert_eq!(request.header("authorization"), None);
        assert_eq!(request.header("anthropic-version").is_some(), provider == ProviderName::Anthropic);
    }
}

#[tokio::test]
async fn refused_form_is_adapted_once_and_recorded_so_that_the_request_can_be_written_again() {
    let refusal = json!({"error": {"message": "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."}});
    let server = Server::start(move |request| match request.json().get("max_tokens") {
        Some(_) => server::json(400, &refusal),
        None => server::json(200, &json!({"choices": [{"message": {"content": "OK"}}]})),
    })
    .await;
    let model = model(server.url("/v1"));
    let refused = model.complete(&question(), "t").await.unwrap_err();
    assert_eq!((refused.kind, refused.class.as_deref()), (ModelFailureKind::Adapted, Some("limit_name")));
    for _ in 0..2 {
        let rendering = model.complete(&question(), "t").await.unwrap().rendering.unwrap();
        assert_eq!(rendering.adapted, ["limit_name"]);
        let names = ("OpenAICompatible", "m");
        let tuning = Tuning { timeout: Some(Duration::from_secs(5)), ..Tuning::default() };
        let again = rendered(Dialect::Compatible, names, &tuning, &question(), &rendering).unwrap();
        assert_eq!(server.requests().last().unwrap().body, again);
    }
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn tiny_call_finds_the_form_that_a_server_wants() {
    let server = Server::start(|request| {
        let body = request.json();
        let error = |text: &str| server::json(400, &json!({"error": {"message": text}}));
        match () {
            () if body.get("temperature").is_some() => error("Unsupported value: 'temperature' does not support 0.0"),
            () if body["messages"][0]["role"] == "system" => error("System role not supported"),
            () => server::json(200, &json!({"choices": [{"message": {"content": "OK"}}]})),
        }
    })
    .await;
    let provider = gateways::llm::Provider::OpenAi(model(server.url("/v1")));
    assert_eq!(check(&provider).await.unwrap().adapted, ["no_temperature", "system_in_user"]);
}
