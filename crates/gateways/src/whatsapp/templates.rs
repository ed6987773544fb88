//! Message templates at Meta: list, create, edit, delete (docs/spec/whatsapp-cloud-api.md 2.4).

use super::{
    CallError, GraphClient,
    call::{Call, success, text},
};
use secrecy::SecretString;
use serde_json::{Value, json};

const FIELDS: &str =
    "id,name,language,status,category,previous_category,parameter_format,components,rejected_reason,quality_score";
/// Templates in a page, and the most pages: Meta allows 6000 templates.
const PER_PAGE: &str = "100";
const MOST_PAGES: usize = 100;
/// The subcode for an existing name and language.
const EXISTS: i64 = 2_388_024;

#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    pub id: String,
    /// `[a-z0-9_]{1,512}`.
    pub name: String,
    /// For example `pt_BR`.
    pub language: String,
    /// `APPROVED`, `PENDING`, `REJECTED`, `PAUSED`, `DISABLED` or another value of Meta's.
    pub status: String,
    /// `AUTHENTICATION`, `MARKETING` or `UTILITY`.
    pub category: String,
    /// `POSITIONAL` or `NAMED`; absent in older templates, which are positional.
    pub parameter_format: Option<String>,
    /// In Meta's form.
    pub components: Vec<Value>,
    /// Absent if Meta sends `NONE`.
    pub rejected_reason: Option<String>,
    /// `GREEN`, `YELLOW`, `RED` or `UNKNOWN`.
    pub quality: Option<String>,
    pub raw: Value,
}

impl Template {
    fn read(raw: &Value) -> Option<Self> {
        Some(Self {
            id: text(raw, "id")?,
            name: text(raw, "name")?,
            language: text(raw, "language")?,
            status: text(raw, "status").unwrap_or_else(|| String::from("UNKNOWN")),
            category: text(raw, "category").unwrap_or_default(),
            parameter_format: text(raw, "parameter_format"),
            components: raw.get("components").and_then(Value::as_array).cloned().unwrap_or_default(),
            rejected_reason: text(raw, "rejected_reason").filter(|reason| reason != "NONE"),
            quality: raw.get("quality_score").and_then(|quality| text(quality, "score")),
            raw: raw.clone(),
        })
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct NewTemplate {
    /// `[a-z0-9_]{1,512}`.
    pub name: String,
    /// For example `pt_BR`.
    pub language: String,
    /// `AUTHENTICATION`, `MARKETING` or `UTILITY`.
    pub category: String,
    /// `POSITIONAL` or `NAMED`.
    pub parameter_format: Option<String>,
    /// In Meta's form, with examples for all variables.
    pub components: Vec<Value>,
    /// Lets Meta change the category instead of rejecting the template.
    pub allow_category_change: bool,
}

/// Changes to a template; absent fields stay.
#[derive(Debug, Clone, Copy, Default)]
pub struct TemplateEdit<'a> {
    /// `AUTHENTICATION`, `MARKETING` or `UTILITY`.
    pub category: Option<&'a str>,
    /// All components, in Meta's form.
    pub components: Option<&'a [Value]>,
    /// Seconds after which an undelivered message is dropped.
    pub time_to_live: Option<i64>,
}

/// Meta's response after creating or editing a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    pub id: String,
    /// Usually `PENDING`.
    pub status: String,
    /// May differ from the requested category.
    pub category: Option<String>,
}

/// True if a template with this name and language exists already.
pub fn is_taken(error: &CallError) -> bool {
    matches!(error, CallError::Refused { subcode: Some(EXISTS), .. })
}

impl GraphClient {
    pub async fn templates(&self, waba: &str, token: &SecretString) -> Result<Vec<Template>, CallError> {
        let mut all = Vec::new();
        let mut after = None;
        for _ in 0..MOST_PAGES {
            let (page, next) = self.templates_page(waba, token, after.as_deref()).await?;
            all.extend(page);
            match next {
                Some(next) if after.as_ref() != Some(&next) => after = Some(next),
                _ => return Ok(all),
            }
        }
        Err(CallError::Unknown { message: String::from("Meta's list of templates does not end") })
    }

    /// One page of templates and the cursor of the next one.
    pub async fn templates_page(
        &self,
        waba: &str,
        token: &SecretString,
        after: Option<&str>,
    ) -> Result<(Vec<Template>, Option<String>), CallError> {
        self.page_of(waba, token, after, None).await
    }

    pub async fn template_named(
        &self,
        waba: &str,
        token: &SecretString,
        name: &str,
        language: &str,
    ) -> Result<Option<Template>, CallError> {
        let mut after: Option<String> = None;
        // Meta's filter matches parts of names, so the result is searched.
        for _ in 0..MOST_PAGES {
            let (page, next) = self.page_of(waba, token, after.as_deref(), Some(name)).await?;
            let found = page.into_iter().find(|template| template.name == name && template.language == language);
            match next {
                Some(next) if found.is_none() && after.as_ref() != Some(&next) => after = Some(next),
                _ => return Ok(found),
            }
        }
        Ok(None)
    }

    async fn page_of(
        &self,
        waba: &str,
        token: &SecretString,
        after: Option<&str>,
        name: Option<&str>,
    ) -> Result<(Vec<Template>, Option<String>), CallError> {
        let mut query = vec![("fields", FIELDS), ("limit", PER_PAGE)];
        query.extend(after.map(|after| ("after", after)));
        query.extend(name.map(|name| ("name", name)));
        let answer = self.call(token, Call::get(&[waba, "message_templates"], &query)).await?;
        let list = answer.get("data").and_then(Value::as_array).ok_or_else(|| CallError::unreadable("data"))?;
        // The last page has cursors too: only `next` means that there are more pages.
        let more = answer.pointer("/paging/next").is_some();
        let next = answer.pointer("/paging/cursors/after").and_then(Value::as_str).filter(|_| more).map(str::to_owned);
        Ok((list.iter().filter_map(Template::read).collect(), next))
    }

    /// One template by Meta's id.
    pub async fn template(&self, id: &str, token: &SecretString) -> Result<Template, CallError> {
        let answer = self.call(token, Call::get(&[id], &[("fields", FIELDS)])).await?;
        Template::read(&answer).ok_or_else(|| CallError::unreadable("template"))
    }

    /// Creates a template. Not idempotent: an existing name and language is refused with subcode
    /// 2388024.
    pub async fn create_template(
        &self,
        waba: &str,
        token: &SecretString,
        new: &NewTemplate,
    ) -> Result<Submitted, CallError> {
        let mut body = json!({
            "name": new.name, "language": new.language, "category": new.category, "components": new.components,
        });
        if let Some(format) = &new.parameter_format {
            body["parameter_format"] = json!(format);
        }
        if new.allow_category_change {
            body["allow_category_change"] = json!(true);
        }
        let answer = self.call(token, Call::post(&[waba, "message_templates"], &body)).await?;
        submitted(&answer, None)
    }

    /// Edits a template, which becomes `PENDING` again. The category of an approved one cannot
    /// change.
    pub async fn edit_template(
        &self,
        id: &str,
        token: &SecretString,
        edit: &TemplateEdit<'_>,
    ) -> Result<Submitted, CallError> {
        let mut body = json!({});
        if let Some(components) = edit.components {
            body["components"] = json!(components);
        }
        if let Some(category) = edit.category {
            body["category"] = json!(category);
        }
        if let Some(seconds) = edit.time_to_live {
            body["message_send_ttl_seconds"] = json!(seconds);
        }
        let answer = self.call(token, Call::post(&[id], &body)).await?;
        success(&answer)?;
        submitted(&answer, Some(id))
    }

    /// Deletes one language of a template (`id`), or all of them. A missing template is not an
    /// error.
    pub async fn delete_template(
        &self,
        waba: &str,
        token: &SecretString,
        name: &str,
        id: Option<&str>,
    ) -> Result<(), CallError> {
        let mut query = vec![("name", name)];
        query.extend(id.map(|id| ("hsm_id", id)));
        match self.call(token, Call::delete(&[waba, "message_templates"], &query)).await {
            Ok(answer) => success(&answer),
            Err(CallError::Refused { subcode: Some(2_593_002), .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn submitted(answer: &Value, known: Option<&str>) -> Result<Submitted, CallError> {
    let id = text(answer, "id").or_else(|| known.map(str::to_owned)).ok_or_else(|| CallError::unreadable("id"))?;
    let status = text(answer, "status").unwrap_or_else(|| String::from("PENDING"));
    Ok(Submitted { id, status, category: text(answer, "category") })
}
