//! Selection of a model.

use crate::server::{self, Server};
use domain::agent::LlmConfig;
use domain::chat::{ModelChoice, ModelFailureKind, ModelRequest, ModelResponse};
use gateways::InProcess;
use gateways::llm::{InProcessModel, LlmSettings, ModelClient, OllamaProbe, Provider, ProviderName, resolve};
use secrecy::SecretString;
use serde_json::json;

/// Returns `provider model`, or the kind of failure.
async fn resolved(
    settings: LlmSettings,
    env: &[(&'static str, &'static str)],
    ollama: OllamaProbe,
) -> Result<String, ModelFailureKind> {
    let env = env.to_vec();
    let lookup = move |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    let client = ModelClient::new().unwrap();
    match resolve(&client, &settings, &lookup, &ollama, &offline()).await {
        Ok(provider) => {
            let choice = provider.describe();
            Ok(format!("{} {}", choice.provider, choice.model))
        }
        Err(failure) => Err(failure.kind),
    }
}

pub(crate) fn offline() -> Provider {
    let choice = ModelChoice { provider: "Rehearsal".to_owned(), model: "built-in".to_owned() };
    let function = InProcess::new(|_| Box::pin(async { Ok(ModelResponse::default()) }));
    Provider::InProcess(InProcessModel::new(choice, function))
}

fn nothing() -> ModelRequest {
    ModelRequest { system: String::new(), messages: vec![], tools: vec![], ..ModelRequest::default() }
}

fn named(provider: ProviderName) -> LlmSettings {
    LlmSettings { provider: Some(provider), ..LlmSettings::default() }
}

fn keyed(key: &str) -> LlmSettings {
    LlmSettings { api_key: Some(SecretString::from(key)), ..LlmSettings::default() }
}

#[tokio::test]
async fn named_provider_works_or_fails_with_a_reason() {
    use ModelFailureKind::{KeyMissing, Permanent};
    use ProviderName::{Anthropic, AzureOpenAi, Google, Mistral, OpenAi, OpenAiCompatible, OpenRouter, Rehearsal};
    let local = LlmSettings {
        base_url: Some(String::from("http://127.0.0.1:1/v1")),
        model: Some(String::from("m")),
        ..named(OpenAiCompatible)
    };
    let openai = ("OPENAI_API_KEY", "k");
    let ok = |text: &str| Ok(text.to_owned());
    for (settings, env, expected) in [
        (named(OpenAi), vec![openai], ok("OpenAI gpt-4.1-mini")),
        (named(OpenAi), vec![("OPENAI_API_KEY", " ")], Err(KeyMissing)),
        (named(OpenAi), vec![], Err(KeyMissing)),
        (LlmSettings { provider: Some(OpenAi), ..keyed("") }, vec![], Err(KeyMissing)),
        (LlmSettings { provider: Some(OpenAi), ..keyed("k") }, vec![], ok("OpenAI gpt-4.1-mini")),
        (named(OpenRouter), vec![openai], Err(KeyMissing)),
        (named(OpenRouter), vec![("OPENROUTER_API_KEY", "k")], ok("OpenRouter openai/gpt-4.1-mini")),
        (named(OpenAiCompatible), vec![openai], Err(Permanent)),
        (local.clone(), vec![], ok("OpenAICompatible m")),
        (LlmSettings { provider: None, ..local }, vec![openai], ok("OpenAICompatible m")),
        (named(Anthropic), vec![("ANTHROPIC_API_KEY", "k")], ok("Anthropic claude-haiku-4-5")),
        (named(Anthropic), vec![openai], Err(KeyMissing)),
        (named(Google), vec![("GEMINI_API_KEY", "k")], ok("Google gemini-2.5-flash")),
        (named(Google), vec![], Err(KeyMissing)),
        (named(AzureOpenAi), vec![("AZURE_OPENAI_API_KEY", "k")], Err(Permanent)),
        (named(Mistral), vec![("MISTRAL_API_KEY", "k")], ok("Mistral mistral-small-latest")),
        (named(Rehearsal), vec![openai], ok("Rehearsal built-in")),
    ] {
        let case = format!("{settings:?} {env:?}");
        assert_eq!(resolved(settings, &env, OllamaProbe::Off).await, expected, "{case}");
    }
}

#[tokio::test]
async fn first_available_model_is_used_without_a_name() {
    let ollama =
        Server::start(|_| server::json(200, &json!({"models": [{"name": "llama3.2:3b"}, {"name": "other"}]}))).await;
    let empty = Server::start(|_| server::json(200, &json!({"models": []}))).await;
    let broken = Server::start(|_| server::http(500, &[], "")).await;
    let there = OllamaProbe::At(ollama.url("/"));
    let closed = OllamaProbe::At(format!("http://127.0.0.1:{}", server::closed_port().await));
    let anthropic = [("ANTHROPIC_API_KEY", "k"), ("GEMINI_API_KEY", "k")];
    let gemini = [("GEMINI_API_KEY", "k")];
    let others = [("MISTRAL_API_KEY", "k")];
    let openai = [("OPENAI_API_KEY", "k")];
    let own_model = LlmSettings { model: Some(String::from("mine")), ..LlmSettings::default() };
    let plain = LlmSettings::default;
    for (settings, env, probe, expected) in [
        (plain(), &openai[..], &there, "OpenAI gpt-4.1-mini"),
        (keyed("sk-1"), &[], &there, "OpenAI gpt-4.1-mini"),
        (plain(), &[], &there, "Ollama llama3.2:3b"),
        (own_model, &[], &there, "Ollama mine"),
        (plain(), &anthropic, &there, "Anthropic claude-haiku-4-5"),
        (plain(), &gemini, &there, "Google gemini-2.5-flash"),
        (plain(), &others, &there, "Ollama llama3.2:3b"),
        (plain(), &others, &closed, "Rehearsal built-in"),
        (plain(), &[], &OllamaProbe::At(empty.url("")), "Rehearsal built-in"),
        (plain(), &[], &OllamaProbe::At(broken.url("")), "Rehearsal built-in"),
        (plain(), &[], &OllamaProbe::Off, "Rehearsal built-in"),
    ] {
        let case = format!("{settings:?} {env:?} {probe:?}");
        let got = resolved(settings, env, probe.clone()).await;
        assert_eq!(got, Ok(expected.to_owned()), "{case}");
    }
    assert_eq!(ollama.requests()[0].line, "GET /api/tags HTTP/1.1");
}

#[tokio::test]
async fn keys_of_other_providers_are_not_sent_to_openai() {
    for (key, provider) in [
        ("sk-ant-123", "Anthropic claude-haiku-4-5"),
        ("AIzaSy123", "Google gemini-2.5-flash"),
        ("sk-or-1", "OpenRouter openai/gpt-4.1-mini"),
        ("gsk_1", "Groq llama-3.3-70b-versatile"),
    ] {
        let got = resolved(keyed(key), &[], OllamaProbe::Off).await;
        assert_eq!(got.as_deref(), Ok(provider), "{key}");
    }
}

#[tokio::test]
async fn silent_ollama_is_skipped() {
    let slow = Server::start(|_| server::Reply::Hang).await;
    let probe = OllamaProbe::At(slow.url(""));
    let started = std::time::Instant::now();
    let got = resolved(LlmSettings::default(), &[], probe).await;
    assert_eq!(got.as_deref(), Ok("Rehearsal built-in"));
    assert!(started.elapsed().as_millis() < 2_000);
}

#[tokio::test]
async fn in_process_model_answers_without_network() {
    offline().complete(&nothing(), "t").await.unwrap();
}

#[test]
fn provider_names_ignore_case() {
    for name in ProviderName::ALL {
        assert_eq!(name.as_str().to_lowercase().parse(), Ok(name));
    }
    assert!("Skynet".parse::<ProviderName>().unwrap_err().to_string().contains("OpenRouter"));
}

#[test]
fn resolve_and_complete_futures_are_send() {
    fn spawnable<T: Send>(_: T) {}
    let (client, settings, offline) = (ModelClient::new().unwrap(), LlmSettings::default(), offline());
    spawnable(resolve(&client, &settings, &|_| None, &OllamaProbe::Off, &offline));
    spawnable(offline.complete(&nothing(), "t"));
}

#[test]
fn base_url_of_an_agent_is_ignored() {
    let config = LlmConfig {
        provider_name: Some(String::from("openrouter")),
        provider_model_name: Some(String::from("m")),
        base_url: Some(String::from("http://169.254.169.254/")),
        temperature: Some(0.5),
        ..LlmConfig::default()
    };
    let settings = LlmSettings::of_config(&config).unwrap();
    assert_eq!((settings.provider, settings.model.as_deref()), (Some(ProviderName::OpenRouter), Some("m")));
    assert_eq!((settings.base_url, settings.tuning.temperature), (None, Some(0.5)));
    let unknown = LlmConfig { provider_name: Some(String::from("Skynet")), ..LlmConfig::default() };
    assert!(LlmSettings::of_config(&unknown).is_err());
}
