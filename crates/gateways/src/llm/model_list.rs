//! Lists the models that a provider offers, within limits of time and size.

use super::{Provider, failure::permanent, openai::error_text};
use crate::parsing::off_worker;
use domain::chat::ModelFailure;
use serde_json::Value;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);
/// OpenRouter's list of all its models is about half as long.
const LONGEST: usize = 2 << 20;
/// Values of JSON that are read.
const VALUES: usize = 100_000;
/// Models that are returned, and characters of a name.
const MOST: usize = 1_000;
const NAME_CHARS: usize = 200;

/// Names of the provider's models, sorted. Asks once; empty for a model of this process.
pub async fn list(provider: &Provider) -> Result<Vec<String>, ModelFailure> {
    let listing = match provider {
        Provider::OpenAi(model) => model.listing(),
        Provider::Native(model) => model.listing(),
        Provider::InProcess(_) => return Ok(Vec::new()),
    };
    let body = listing.send(PATIENCE, LONGEST, error_text).await?;
    let names = off_worker(body, read).await.flatten();
    names.ok_or_else(|| permanent("the list of models cannot be read"))
}

/// `data[].id` of chat-completions servers and Anthropic, or `models[].name` of Gemini, of which
/// only those that write texts count.
fn read(body: &[u8]) -> Option<Vec<String>> {
    let body = domain::json::parse(body, VALUES).ok()?;
    let entries = body.get("data").or_else(|| body.get("models"))?.as_array()?;
    let writes = |entry: &&Value| {
        let methods = entry.get("supportedGenerationMethods").and_then(Value::as_array);
        methods.is_none_or(|methods| methods.iter().any(|method| method == "generateContent"))
    };
    let name = |entry: &Value| {
        let name = entry.get("id").or_else(|| entry.get("name"))?.as_str()?;
        let name = name.trim_start_matches("models/");
        let fits = !name.is_empty() && name.chars().count() <= NAME_CHARS && !name.chars().any(char::is_control);
        fits.then(|| name.to_owned())
    };
    let mut names: Vec<String> = entries.iter().filter(writes).filter_map(name).take(MOST).collect();
    names.sort();
    names.dedup();
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_each_protocol_are_read_and_odd_names_left_out() {
        let names = |text: &str| read(text.as_bytes());
        assert_eq!(names(r#"{"data":[{"id":"b"},{"id":"a"},{"id":"a"},{"x":1},{"id":""}]}"#).unwrap(), ["a", "b"]);
        let gemini = r#"{"models":[{"name":"models/g","supportedGenerationMethods":["generateContent"]},
            {"name":"models/e","supportedGenerationMethods":["embedContent"]}]}"#;
        assert_eq!(names(gemini).unwrap(), ["g"]);
        assert_eq!(names(&format!(r#"{{"data":[{{"id":"{}"}}]}}"#, "x".repeat(201))).unwrap(), [""; 0]);
        assert_eq!(names("[]"), None);
        assert_eq!(names("<html>"), None);
    }
}
