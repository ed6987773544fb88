//! Answers of a strict model server.

use super::{
    anthropic, chat, gemini,
    kinds::{Dialect, Refused, Rule, Shape},
};
use serde_json::{Value, json};

impl Dialect {
    /// The refusal of a request; `None` if it is accepted.
    pub fn refusal(&self, request: &Value) -> Option<Refused> {
        let rule = self.rules.iter().find_map(|rule| Some((rule, (rule.check)(request)?)));
        rule.map(|(rule, message)| Refused { rule: rule.name, status: rule.status, body: self.error(rule, &message) })
    }

    fn error(&self, rule: &Rule, message: &str) -> Value {
        match self.shape {
            Shape::Anthropic => {
                json!({"type": "error", "error": {"type": "invalid_request_error", "message": message}})
            }
            Shape::Gemini => json!({"error": {"code": rule.status, "message": message, "status": "INVALID_ARGUMENT"}}),
            Shape::Chat if self.name == "Mistral" => {
                json!({"object": "error", "message": message, "type": "invalid_request_error", "param": null, "code": null})
            }
            Shape::Chat => {
                json!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": null}})
            }
        }
    }

    /// The refusal of a key, with its status. It repeats the key, as OpenAI's does.
    pub fn key_refusal(&self, key: &str) -> (u16, Value) {
        let message = format!("Incorrect API key provided: {key}.");
        match self.shape {
            Shape::Anthropic => {
                (401, json!({"type": "error", "error": {"type": "authentication_error", "message": message}}))
            }
            Shape::Gemini => {
                let message = format!("API key not valid. Please pass a valid API key. {key}");
                let details = json!([{"reason": "API_KEY_INVALID", "domain": "googleapis.com"}]);
                (
                    400,
                    json!({"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT", "details": details}}),
                )
            }
            Shape::Chat => (401, json!({"error": {"message": message, "code": "invalid_api_key"}})),
        }
    }

    /// The list of models.
    pub fn models(&self) -> Value {
        match self.shape {
            Shape::Chat | Shape::Anthropic => json!({"data": [{"id": self.model}, {"id": "another-model"}]}),
            Shape::Gemini => json!({"models": [
                {"name": format!("models/{}", self.model), "supportedGenerationMethods": ["generateContent"]},
                {"name": "models/another-model", "supportedGenerationMethods": ["generateContent", "countTokens"]},
                {"name": "models/embedding", "supportedGenerationMethods": ["embedContent"]}]}),
        }
    }

    /// A request that the server accepts, with everything that the protocol has.
    pub fn accepted(&self) -> Value {
        match self.shape {
            Shape::Chat => chat::accepted(self),
            Shape::Anthropic => anthropic::accepted(self.model),
            Shape::Gemini => gemini::accepted(),
        }
    }

    /// The request in the form of chat completions, for tests that look into it.
    pub fn as_chat(&self, request: &Value) -> Value {
        match self.shape {
            Shape::Chat => request.clone(),
            Shape::Anthropic => anthropic::as_chat(request),
            Shape::Gemini => gemini::as_chat(request),
        }
    }

    /// An answer from an assistant message in the form of chat completions.
    pub fn answer(&self, message: &Value) -> Value {
        match self.shape {
            Shape::Chat => chat::answer(self, message),
            Shape::Anthropic => anthropic::answer(self.model, message),
            Shape::Gemini => gemini::answer(self.model, message),
        }
    }
}
