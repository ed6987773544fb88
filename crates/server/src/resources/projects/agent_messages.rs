//! Settings of agents' messages, as a field of a project.

use crate::ApiError;
use domain::agent_messages::{AgentMessages, DISCLOSURE, LANGUAGES};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::projects::ProjectRow;
use utoipa::ToSchema;

/// Settings for the messages of the project's agents.
#[derive(Serialize, ToSchema)]
pub(super) struct AgentMessageSettings {
    disclosure: Disclosure,
    /// True if texts of models are sent as they wrote them; else Markdown becomes WhatsApp's marks.
    keep_markdown: bool,
}

/// The sentence before the first message that an agent sends to a contact: once, and again after a
/// person gave the conversation back.
#[derive(Serialize, ToSchema)]
struct Disclosure {
    enabled: bool,
    /// By language, such as `es` or `pt-BR`. The server has a sentence for the others.
    texts: BTreeMap<String, String>,
}

/// Fields that are absent stay as they are.
#[derive(Clone, Deserialize, ToSchema)]
pub(super) struct AgentMessageFields {
    #[schema(nullable = false)]
    disclosure: Option<DisclosureFields>,
    #[schema(nullable = false)]
    keep_markdown: Option<bool>,
}

/// Fields that are absent stay as they are.
#[derive(Clone, Deserialize, ToSchema)]
struct DisclosureFields {
    #[schema(nullable = false)]
    enabled: Option<bool>,
    /// Replaces all texts. Each has 1 to 300 characters.
    #[schema(nullable = false)]
    texts: Option<BTreeMap<String, String>>,
}

impl AgentMessageSettings {
    pub(super) fn of(row: &ProjectRow) -> Self {
        let AgentMessages { disclosure, keep_markdown } = stored(row);
        Self { disclosure: Disclosure { enabled: disclosure.enabled, texts: disclosure.texts }, keep_markdown }
    }
}

impl AgentMessageFields {
    /// The settings of a project with these changes, as they are stored.
    pub(super) fn over(self, row: &ProjectRow) -> Result<String, ApiError> {
        let mut settings = stored(row);
        let (enabled, texts) = self.disclosure.map_or((None, None), |fields| (fields.enabled, fields.texts));
        settings.disclosure.enabled = enabled.unwrap_or(settings.disclosure.enabled);
        if let Some(texts) = texts {
            check(&texts)?;
            settings.disclosure.texts = texts;
        }
        settings.keep_markdown = self.keep_markdown.unwrap_or(settings.keep_markdown);
        Ok(as_stored(&settings))
    }
}

/// The settings of a project that is created now, as they are stored.
pub(crate) fn of_new_project() -> String {
    as_stored(&AgentMessages::of_new_project())
}

fn as_stored(settings: &AgentMessages) -> String {
    serde_json::json!(settings).to_string()
}

fn stored(row: &ProjectRow) -> AgentMessages {
    row.agent_messages.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn check(texts: &BTreeMap<String, String>) -> Result<(), ApiError> {
    let path = "/project/agent_messages/disclosure/texts";
    if texts.len() > LANGUAGES {
        return Err(ApiError::invalid(path, "too_many", format!("at most {LANGUAGES} languages")));
    }
    for (language, text) in texts {
        let tag = language.len() <= 12
            && language.split('-').all(|part| part.len() >= 2 && part.chars().all(|c| c.is_ascii_alphanumeric()));
        if !tag {
            let message = format!("{language:?} is no language such as es or pt-BR");
            return Err(ApiError::invalid(path, "bad_language", message));
        }
        if text.trim().is_empty() || text.chars().count() > DISCLOSURE || text.contains('\0') {
            let message = format!("each text has 1 to {DISCLOSURE} characters");
            return Err(ApiError::invalid(&format!("{path}/{language}"), "bad_text", message));
        }
    }
    Ok(())
}
