//! Puts the answer of a data tool into a sentence or two.
//!
//! Every value comes from the data and only known field names and states are translated; the rest is shown as it stands,
//! with underscores as spaces. What is long is cut: this is a chat.

use serde_json::{Map, Value};

use super::conversation::head;
use super::language::Language;
use super::phrases;
use super::terms::{self, Noun};
use super::values::{self, pretty_date};

const MOST_FACTS: usize = 8;

/// What a tool's answer means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Found or done, in words.
    Found(String),
    /// There is no such thing.
    Missing,
    /// The system refused the arguments at these paths.
    Refused(Vec<String>),
    /// No answer to be had.
    Unreachable,
}

/// Reads the answer of `tool`.
pub(super) fn outcome(tool: &str, content: &str, language: Language) -> Outcome {
    if content.len() > 256 * 1024 {
        return Outcome::Found(sentence(head(content.trim(), 400)));
    }
    let Ok(value) = serde_json::from_str::<Value>(content) else {
        let text = content.trim();
        return if text.is_empty() { Outcome::Missing } else { Outcome::Found(sentence(head(text, 400))) };
    };
    let Value::Object(object) = &value else { return found(tool, &value, language) };
    if let Some(code) = object.get("status_code").and_then(Value::as_u64) {
        return match code {
            200..=399 => found(tool, object.get("content").unwrap_or(&Value::Null), language),
            401 | 403 | 407 | 408 | 425 | 429 => Outcome::Unreachable,
            400..=499 => Outcome::Missing,
            _ => Outcome::Unreachable,
        };
    }
    match object.get("error") {
        Some(Value::String(error)) if error == "invalid_arguments" => Outcome::Refused(paths(object)),
        Some(error) if !error.is_null() && error != &Value::Bool(false) && object.len() <= 3 => Outcome::Unreachable,
        _ => found(tool, &value, language),
    }
}

fn paths(object: &Map<String, Value>) -> Vec<String> {
    let details = object.get("details").and_then(Value::as_array);
    details
        .into_iter()
        .flatten()
        .filter_map(|detail| detail.get("path")?.as_str())
        .map(|path| path.rsplit(['/', '.']).next().unwrap_or(path).to_owned())
        .take(5)
        .collect()
}

fn found(tool: &str, value: &Value, language: Language) -> Outcome {
    match value {
        Value::Null => Outcome::Missing,
        Value::Array(list) if list.is_empty() => Outcome::Missing,
        Value::Object(object) if object.is_empty() => Outcome::Missing,
        Value::String(text) if text.trim().is_empty() => Outcome::Missing,
        Value::String(text) => Outcome::Found(sentence(head(text.trim(), 600))),
        Value::Array(list) => Outcome::Found(listed(list, language)),
        Value::Object(object) => of_object(tool, object, language),
        scalar => Outcome::Found(here_it_is(language, &values::scalar("", scalar, language))),
    }
}

fn of_object(tool: &str, object: &Map<String, Value>, language: Language) -> Outcome {
    let says_no = ["found", "ok", "success", "exists"].iter().any(|key| object.get(*key) == Some(&Value::Bool(false)));
    if says_no || object.get("error").is_some_and(|error| !error.is_null() && error != &Value::Bool(false)) {
        return Outcome::Missing;
    }
    // `{"order": {…}}` is an envelope around the thing itself; `{"results": […]}` is a list.
    if object.len() == 1
        && let Some((key, inner)) = object.iter().next()
    {
        match inner {
            Value::Object(_) => return found(&format!("{key} {tool}"), inner, language),
            Value::Array(list) if list.is_empty() => return Outcome::Missing,
            Value::Array(list) if key == "results" && list.iter().all(Value::is_string) => {
                return found(tool, &list[0], language);
            }
            Value::String(_) if matches!(key.as_str(), "text" | "message" | "answer" | "result") => {
                return found(tool, inner, language);
            }
            _ => {}
        }
    }
    Outcome::Found(described(tool, object, language))
}

/// One thing: what it is and how it stands, when it comes, then its other fields.
fn described(tool: &str, object: &Map<String, Value>, language: Language) -> String {
    let mut used: Vec<&str> = Vec::new();
    let subject = subject(tool, object, language, &mut used);
    let mut first = String::new();
    let status = object.iter().find(|(key, value)| values::is_status(key) && value.is_string());
    if let (Some((subject, feminine)), Some((key, Value::String(value)))) = (&subject, status) {
        used.push(key);
        first = match terms::status(value, language, *feminine) {
            Some(predicate) => format!("{subject} {predicate}"),
            None => status_line(subject, &head(value, 100).replace('_', " "), language),
        };
        let arrival = object.iter().find(|(key, value)| values::is_arrival(key) && value.is_string());
        if let Some((key, Value::String(value))) = arrival
            && let Some(date) = pretty_date(value, language, false)
            && !values::is_over(object.get(used.last().copied().unwrap_or_default()))
        {
            used.push(key);
            first += &match language {
                Language::English => format!(" and should arrive on {date}"),
                Language::Spanish => format!(" y debería llegar el {date}"),
                Language::Portuguese => format!(" e deve chegar em {date}"),
            };
        }
        first.push('.');
    } else if let Some((subject, _)) = &subject {
        first = match language {
            Language::English => format!("Here is what I found about {}:", lower_first(subject)),
            Language::Spanish => format!("Esto es lo que encontré sobre {}:", lower_first(subject)),
            Language::Portuguese => format!("Isto é o que encontrei sobre {}:", lower_first(subject)),
        };
    }
    let facts = facts(object, &used, language);
    if first.is_empty() {
        first =
            language.pick("Here is what I found:", "Esto es lo que encontré:", "Isto é o que encontrei:").to_owned();
    }
    join(first, &facts)
}

/// Few facts follow in the same line, more become a list.
fn join(first: String, facts: &[String]) -> String {
    if facts.is_empty() {
        let end = first.trim_end_matches(':').to_owned();
        return sentence(&end);
    }
    if facts.len() <= 2 {
        let glue = if facts.iter().any(|fact| fact.contains(',')) { "; " } else { ", " };
        return format!("{first} {}", sentence(&facts.join(glue)));
    }
    format!("{first}\n• {}", facts.join("\n• "))
}

/// "Your order 1042", and whether the thing is feminine.
fn subject<'o>(
    tool: &str,
    object: &'o Map<String, Value>,
    language: Language,
    used: &mut Vec<&'o str>,
) -> Option<(String, bool)> {
    let plain = |value: &Value| (value.is_string() || value.is_number()).then(|| values::raw(value));
    let own = object.iter().find_map(|(key, value)| {
        let noun = terms::thing_of(key, language)?;
        Some((key, noun, plain(value).filter(|text| text.chars().any(|c| c.is_ascii_digit()))?))
    });
    let (noun, number): (Noun, Option<String>) = match own {
        Some((key, noun, number)) => {
            used.push(key);
            (noun, Some(number))
        }
        None => {
            let noun = terms::thing_in(tool, language)?;
            let id = object.iter().find(|(key, _)| {
                matches!(
                    key.to_lowercase().as_str(),
                    "id" | "number" | "numero" | "número" | "code" | "codigo" | "reference"
                )
            });
            let number = id.and_then(|(key, value)| plain(value).inspect(|_| used.push(key)));
            (noun, number)
        }
    };
    let number = number.map_or(String::new(), |number| format!(" {}", head(&number, 40)));
    Some((format!("{}{number}", upper_first(&noun.yours)), noun.feminine))
}

fn status_line(subject: &str, value: &str, language: Language) -> String {
    let subject = lower_first(subject);
    match language {
        Language::English => format!("The status of {subject} is: {value}"),
        Language::Spanish => format!("El estado de {subject} es: {value}"),
        Language::Portuguese => format!("A situação d{subject} é: {value}"),
    }
}

/// The remaining fields as "Label: value".
fn facts(object: &Map<String, Value>, used: &[&str], language: Language) -> Vec<String> {
    let currency = object.get("currency").or_else(|| object.get("moneda")).or_else(|| object.get("moeda"));
    let currency = currency.and_then(Value::as_str).map(|code| head(code, 5));
    let mut facts = Vec::new();
    for (key, value) in object {
        let skipped = used.contains(&key.as_str()) || (value.as_str().is_some() && value.as_str() == currency);
        if skipped || facts.len() == MOST_FACTS {
            continue;
        }
        let Some(shown) = values::shown(key, value, currency, language) else { continue };
        facts.push(format!("{}: {shown}", upper_first(&label(key, language))));
    }
    facts
}

fn label(key: &str, language: Language) -> String {
    terms::noun(key, language).map_or_else(|| head(&readable(key), 60).to_owned(), |noun| noun.bare)
}

/// Keeps accents, unlike the folded words that we compare.
fn readable(key: &str) -> String {
    key.replace(['_', '-', '.'], " ").trim().to_owned()
}

/// Several things found.
fn listed(list: &[Value], language: Language) -> String {
    if let [only @ Value::Object(object)] = list
        && !object.is_empty()
    {
        return match found("", only, language) {
            Outcome::Found(text) => text,
            _ => here_it_is(language, &values::list(list, language)),
        };
    }
    if list.iter().all(|value| !value.is_object()) {
        return here_it_is(language, &values::list(list, language));
    }
    let count = list.len();
    let mut text = match language {
        Language::English => format!("I found {count} results:"),
        Language::Spanish => format!("Encontré {count} resultados:"),
        Language::Portuguese => format!("Encontrei {count} resultados:"),
    };
    for value in list.iter().take(5) {
        let line = match value {
            Value::Object(object) => values::line(object, language),
            other => values::scalar("", other, language),
        };
        text += &format!("\n• {line}");
    }
    if count > 5 {
        text += "\n• …";
    }
    text
}

fn here_it_is(language: Language, what: &str) -> String {
    let lead = language.pick("I found this:", "Encontré esto:", "Encontrei isto:");
    sentence(&format!("{lead} {what}"))
}

/// Ends with a mark.
fn sentence(text: &str) -> String {
    let text = text.trim();
    let done = text.ends_with(['.', '!', '?', '…', ':']) || text.contains('\n');
    if done { text.to_owned() } else { format!("{text}.") }
}

pub(super) fn upper_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or(String::new(), |first| first.to_uppercase().chain(characters).collect())
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or(String::new(), |first| first.to_lowercase().chain(characters).collect())
}

/// "Order 1042" for the arguments of a call that found nothing, and the name of the argument to check.
pub(super) fn looked_for(tool: &str, arguments: &Value, language: Language) -> (Option<String>, Option<String>) {
    let Some(object) = arguments.as_object() else { return (None, None) };
    let Some((key, value)) = object.iter().find(|(_, value)| value.is_string() || value.is_number()) else {
        return (None, None);
    };
    let value = head(&values::raw(value), 40).to_owned();
    let check = terms::noun(key, language).map(|noun| noun.definite);
    let thing = terms::thing_of(key, language)
        .or_else(|| value.chars().any(|c| c.is_ascii_digit()).then(|| terms::thing_in(tool, language)).flatten());
    let what = thing.map(|thing| match language {
        Language::English => format!("{} {value}", thing.bare),
        _ => format!("{} {value}", thing.definite),
    });
    (what, check)
}

/// All that is said about an answer, with a friendly end.
pub(super) fn with_offer(text: &str, language: Language) -> String {
    let glue = if text.contains('\n') { "\n" } else { " " };
    format!("{text}{glue}{}", phrases::anything_else(language))
}
