//! Streamed answers over HTTP, in each protocol (docs/spec/engine.md 5.7).

use crate::server::{self, Reply, Server};
use domain::chat::{ChatMessage, ModelFailure, ModelFailureKind, ModelRequest, ModelResponse};
use gateways::llm::{
    Dialect, LlmSettings, ModelClient, OllamaProbe, Provider, ProviderName, Tuning, check,
    openai::{Endpoint, OpenAi},
    rendered, resolve,
};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::time::Duration;

const KEY: &str = "sk-very-secret";

fn question() -> ModelRequest {
    let messages = vec![ChatMessage::user("hi".into())];
    ModelRequest { system: "be kind".into(), messages, ..ModelRequest::default() }
}

fn tuning() -> Tuning {
    Tuning { timeout: Some(Duration::from_secs(5)), ..Tuning::default() }
}

fn chat(server: &Server) -> Provider {
    let endpoint = Endpoint {
        provider: "OpenAICompatible".into(),
        dialect: Dialect::Compatible,
        base_url: server.url("/v1"),
        api_key: Some(SecretString::from(KEY)),
        model: "m".into(),
        tuning: tuning(),
    };
    Provider::OpenAi(OpenAi::new(ModelClient::new().unwrap(), endpoint))
}

async fn native(provider: ProviderName, server: &Server) -> Provider {
    let settings = LlmSettings {
        provider: Some(provider),
        base_url: Some(server.url("")),
        api_key: Some(SecretString::from(KEY)),
        model: Some("m".into()),
        tuning: tuning(),
    };
    let (client, nothing) = (ModelClient::new().unwrap(), |_: &str| None);
    let offline = chat(server);
    resolve(&client, &settings, &nothing, &OllamaProbe::Off, &offline).await.unwrap()
}

fn stream(events: &[Value]) -> String {
    events.iter().fold(String::new(), |all, event| {
        let name = event["type"].as_str().map_or_else(String::new, |name| format!("event: {name}\n"));
        format!("{all}{name}data: {event}\n\n")
    })
}

fn events(events: &[Value]) -> Reply {
    server::http(200, &[("Content-Type", "text/event-stream; charset=utf-8")], stream(events))
}

fn delta(delta: Value, reason: Value) -> Value {
    json!({"model": "m-2026", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
}

async fn ask(reply: impl Fn() -> Reply + Send + Sync + 'static) -> Result<ModelResponse, ModelFailure> {
    let server = Server::start(move |_| reply()).await;
    chat(&server).complete(&question(), "t").await
}

#[tokio::test]
async fn each_protocol_is_streamed() {
    let chat_events = vec![
        delta(json!({"role": "assistant", "content": "h"}), json!(null)),
        delta(json!({"content": "i"}), json!("stop")),
        json!({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}),
    ];
    let anthropic = vec![
        json!({"type": "message_start", "message": {"model": "m-2026", "content": [], "usage": {"input_tokens": 3}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}),
        json!({"type": "message_stop"}),
    ];
    let gemini = vec![
        json!({"modelVersion": "m-2026", "candidates": [{"content": {"parts": [{"text": "h"}]}}]}),
        json!({"candidates": [{"content": {"parts": [{"text": "i"}]}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2}}),
    ];
    for (provider, all, last) in
        [(None, chat_events, 2), (Some(ProviderName::Anthropic), anthropic, 1), (Some(ProviderName::Google), gemini, 1)]
    {
        let sent = all.clone();
        let server = Server::start(move |_| events(&sent)).await;
        let model = match provider {
            Some(provider) => native(provider, &server).await,
            None => chat(&server),
        };
        let answer = model.complete(&question(), "t").await.unwrap();
        assert_eq!((answer.text.as_deref(), answer.model.as_str()), (Some("hi"), "m-2026"), "{provider:?}");
        assert_eq!((answer.usage.input_tokens, answer.usage.output_tokens), (3, 2), "{provider:?}");
        assert!(answer.first_token_ms.is_some() && answer.rendering.unwrap().streamed, "{provider:?}");
        let request = server.requests()[0].json();
        assert_eq!(request.get("stream").is_none(), provider == Some(ProviderName::Google));
        // The same stream without its end is no answer.
        let sent = all[..all.len() - last].to_vec();
        let server = Server::start(move |_| events(&sent)).await;
        let model = match provider {
            Some(provider) => native(provider, &server).await,
            None => chat(&server),
        };
        let failure = model.complete(&question(), "t").await.unwrap_err();
        assert_eq!((failure.kind, failure.class.as_deref()), (ModelFailureKind::Temporary, Some("broken_server")));
    }
}

#[tokio::test]
async fn answer_in_json_is_read_as_before() {
    let body = json!({"choices": [{"message": {"content": "hi"}}]});
    let answer = ask(move || server::json(200, &body)).await.unwrap();
    assert_eq!((answer.text.as_deref(), answer.first_token_ms), (Some("hi"), None));
}

#[tokio::test]
async fn error_in_a_stream_is_read_by_the_refusal_table() {
    let half = delta(json!({"content": "half"}), json!(null));
    for (error, kind, class) in [
        (json!({"error": {"code": 429, "message": "slow"}}), ModelFailureKind::Temporary, "wait"),
        (json!({"error": {"message": "x", "type": "overloaded_error"}}), ModelFailureKind::Temporary, "wait"),
        (json!({"error": {"message": "gone", "type": "server_error"}}), ModelFailureKind::Temporary, "broken_server"),
        (
            json!({"object": "error", "message": "This model's maximum context length is 8 tokens.", "code": 400}),
            ModelFailureKind::TooLong,
            "context_too_long",
        ),
        (
            json!({"error": {"code": "402", "message": "Insufficient credits"}}),
            ModelFailureKind::Permanent,
            "credit_exhausted",
        ),
    ] {
        let all = [half.clone(), error];
        let failure = ask(move || events(&all)).await.unwrap_err();
        assert_eq!((failure.kind, failure.class.as_deref()), (kind, Some(class)));
    }
    let all = [half, json!({"error": {"code": 401, "message": format!("bad key {KEY}")}})];
    let failure = ask(move || events(&all)).await.unwrap_err();
    assert!(!failure.message.contains(KEY), "{}", failure.message);
}

#[tokio::test]
async fn broken_connection_in_a_stream_is_temporary() {
    let half = stream(&[delta(json!({"content": "half"}), json!(null))]);
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9999\r\n\r\n";
    let bytes = format!("{head}{half}");
    let failure = ask(move || Reply::Bytes(bytes.clone().into_bytes())).await.unwrap_err();
    assert_eq!((failure.kind, failure.class.as_deref()), (ModelFailureKind::Temporary, Some("broken_server")));
}

/// A server that refuses `refused` of a request and answers the rest.
async fn picky(refused: &'static str, refusal: Value) -> Server {
    Server::start(move |request| {
        let body = request.json();
        if body.get(refused).is_some_and(|value| *value != json!(false)) {
            return server::json(400, &refusal);
        }
        if body["stream"] == true {
            return events(&[delta(json!({"content": "OK"}), json!("stop"))]);
        }
        server::json(200, &json!({"choices": [{"message": {"content": "OK"}}]}))
    })
    .await
}

#[tokio::test]
async fn refused_stream_is_asked_for_as_a_whole_and_remembered() {
    let options = json!({"object": "error", "message": {"detail": [{"loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}]}});
    let verified = json!({"error": {"message": "Your organization must be verified to stream this model.", "param": "stream", "code": "unsupported_value"}});
    for (member, refusal, class, adapted, streamed) in [
        ("stream_options", options, "stream_options", "no_stream_options", true),
        ("stream", verified, "stream", "no_stream", false),
    ] {
        let server = picky(member, refusal).await;
        let model = chat(&server);
        let refused = model.complete(&question(), "t").await.unwrap_err();
        assert_eq!((refused.kind, refused.class.as_deref()), (ModelFailureKind::Adapted, Some(class)));
        for _ in 0..2 {
            let answer = model.complete(&question(), "t").await.unwrap();
            let rendering = answer.rendering.unwrap();
            assert_eq!((rendering.adapted.as_slice(), rendering.streamed), (&[adapted.to_owned()][..], streamed));
            let names = ("OpenAICompatible", "m");
            let again = rendered(Dialect::Compatible, names, &tuning(), &question(), &rendering).unwrap();
            assert_eq!(server.requests().last().unwrap().body, again);
        }
        assert_eq!(server.requests().len(), 3);
        let checked = check(&chat(&server)).await.unwrap();
        assert_eq!((checked.streamed, checked.adapted.as_slice()), (streamed, &[adapted.to_owned()][..]));
    }
}

#[tokio::test]
async fn stream_that_cannot_be_read_is_not_asked_for_again() {
    for reply in [
        || server::http(200, &[("Content-Type", "text/event-stream")], "data: {half\n\n"),
        || server::http(200, &[("Content-Type", "text/plain")], "data: {\"choices\":[]}\n\n"),
    ] {
        let server = Server::start(move |request| match request.json()["stream"].as_bool() {
            Some(true) => reply(),
            _ => server::json(200, &json!({"choices": [{"message": {"content": "OK"}}]})),
        })
        .await;
        let model = chat(&server);
        let refused = model.complete(&question(), "t").await.unwrap_err();
        assert_eq!((refused.kind, refused.class.as_deref()), (ModelFailureKind::Adapted, Some("stream")));
        assert_eq!(model.complete(&question(), "t").await.unwrap().text.as_deref(), Some("OK"));
    }
}

#[tokio::test]
async fn signed_parts_of_gemini_stay_apart() {
    let part = |part: Value| json!({"candidates": [{"content": {"parts": [part]}}]});
    let all = [
        part(json!({"text": "o"})),
        part(json!({"text": "k", "thoughtSignature": "s1"})),
        json!({"candidates": [{"content": {"parts": []}, "finishReason": "STOP"}]}),
    ];
    let server = Server::start(move |_| events(&all)).await;
    let answer = native(ProviderName::Google, &server).await.complete(&question(), "t").await.unwrap();
    assert_eq!((answer.text.as_deref(), answer.opaque.unwrap().parts), (Some("ok"), json!({"text": "s1"})));
}
