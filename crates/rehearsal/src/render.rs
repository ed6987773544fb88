//! Puts the result of a data tool into a sentence or two.
//!
//! Every value comes from the data. Known field names and statuses are translated; the rest stays
//! as it is, with spaces for underscores. Long data is cut: this is a chat.

use serde_json::{Map, Value};

use crate::language::{Language, Phrase};
use crate::phrases;
use crate::terms::{self, Noun};
use crate::text::{fold, head, is_in, lower_first, upper_first};

const MOST_FACTS: usize = 8;
const MOST_ITEMS: usize = 5;
const LONGEST_VALUE: usize = 200;
const LONGEST_TEXT: usize = 600;

const MONTHS: Phrase = [
    "January February March April May June July August September October November December",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
];

/// The meaning of a tool's result.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Found or done, in words.
    Found(String),
    Missing,
    /// The arguments were refused; the first of them, if it is named.
    Refused(Option<String>),
    Unreachable,
}

pub(crate) fn outcome(tool: &str, content: &str, language: Language) -> Outcome {
    let parsed = (content.len() <= 256 * 1024).then(|| serde_json::from_str::<Value>(content));
    let Some(Ok(value)) = parsed else { return found(tool, &Value::from(head(content, LONGEST_TEXT)), language) };
    match value.get("status_code").and_then(Value::as_u64) {
        Some(200..=399) => found(tool, value.get("content").unwrap_or(&Value::Null), language),
        Some(400 | 402 | 404..=406 | 409..=424) => Outcome::Missing,
        Some(_) => Outcome::Unreachable,
        None if value.get("error").is_some_and(|error| error == "invalid_arguments") => {
            let path = value.pointer("/details/0/path").and_then(Value::as_str);
            Outcome::Refused(path.and_then(|path| path.rsplit(['/', '.']).next()).map(str::to_owned))
        }
        None if has_error(&value) => Outcome::Unreachable,
        None => found(tool, &value, language),
    }
}

fn found(tool: &str, value: &Value, language: Language) -> Outcome {
    let (key, value) = unwrapped(value);
    let says_no = ["found", "ok", "success", "exists"].iter().any(|key| value.get(*key) == Some(&Value::Bool(false)));
    match value {
        _ if is_empty(value) || says_no || has_error(value) => Outcome::Missing,
        Value::String(text) => Outcome::Found(sentence(head(text.trim(), LONGEST_TEXT))),
        Value::Object(object) => Outcome::Found(described(&format!("{key} {tool}"), object, language)),
        _ => Outcome::Found(language.fill(phrases::FOUND_THIS, &short(value, language))),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn has_error(value: &Value) -> bool {
    value.get("error").is_some_and(|error| !error.is_null() && *error != Value::Bool(false))
}

/// The thing itself without the envelope around it, and the envelope's key.
fn unwrapped(value: &Value) -> (&str, &Value) {
    let field = value.as_object().filter(|object| object.len() == 1).and_then(|object| object.iter().next());
    match (value, field) {
        (Value::Array(list), _) if list.len() == 1 && list[0].is_object() => unwrapped(&list[0]),
        // The passages of a knowledge base: the first fits best.
        (_, Some((key, Value::Array(list)))) if key == "results" && list.iter().all(Value::is_string) => {
            (key, list.first().unwrap_or(&Value::Null))
        }
        (_, Some((key, inner @ (Value::Object(_) | Value::Array(_))))) => (key, unwrapped(inner).1),
        (_, Some((key, text @ Value::String(_)))) if is_in("text message answer result", key) => (key, text),
        _ => ("", value),
    }
}

/// One thing: its name and status, its arrival, then its other fields.
fn described(tool: &str, object: &Map<String, Value>, language: Language) -> String {
    let mut used: Vec<&str> = Vec::new();
    let subject = subject(tool, object, language, &mut used);
    let status = object.iter().find(|(key, value)| is_status(key) && value.is_string());
    let first = match (subject, status) {
        (Some((subject, is_feminine)), Some((key, value))) => {
            used.push(key);
            let value = short(value, language);
            let stands = terms::status(&value, language, is_feminine).map(|status| format!("{subject} {status}"));
            let mut first = stands.unwrap_or_else(|| {
                language.fill(phrases::STATUS_OF, &lower_first(&subject)) + &value.replace('_', " ")
            });
            let arrival = object.iter().find_map(|(key, value)| Some((key, date(key, value, language)?)));
            if let Some((key, date)) = arrival.filter(|_| !is_over(&value)) {
                used.push(key);
                first += &language.fill(phrases::ARRIVES, &date);
            }
            first + "."
        }
        (Some((subject, _)), None) => language.fill(phrases::FOUND_ABOUT, &lower_first(&subject)),
        (None, _) => language.pick(phrases::FOUND).to_owned(),
    };
    let facts = facts(object, &used, language);
    match facts.as_slice() {
        [] => sentence(first.trim_end_matches(':')),
        [_] | [_, _] => {
            format!("{first} {}", sentence(&facts.join(if facts.concat().contains(',') { "; " } else { ", " })))
        }
        _ => format!("{first}\n• {}", facts.join("\n• ")),
    }
}

/// "Your order 1042", and whether the thing is feminine.
fn subject<'o>(
    tool: &str,
    object: &'o Map<String, Value>,
    language: Language,
    used: &mut Vec<&'o str>,
) -> Option<(String, bool)> {
    let number =
        |value: &Value| (value.is_string() || value.is_number()).then(|| head(&short(value, language), 40).to_owned());
    let own = object.iter().find_map(|(key, value)| {
        let number = number(value).filter(|text| text.contains(|c: char| c.is_ascii_digit()))?;
        Some((key, terms::thing_of(key, language)?, number))
    });
    let named = |noun: Noun, number: &str| (format!("{}{number}", upper_first(&noun.yours)), noun.is_feminine);
    if let Some((key, noun, number)) = own {
        used.push(key);
        return Some(named(noun, &format!(" {number}")));
    }
    let noun = terms::thing_in(tool, language)?;
    let id = object.iter().find(|(key, _)| is_in("id number numero code codigo reference", &fold(key)));
    let id = id.and_then(|(key, value)| number(value).inspect(|_| used.push(key)));
    Some(named(noun, &id.map_or(String::new(), |id| format!(" {id}"))))
}

/// The remaining fields as "Label: value".
fn facts(object: &Map<String, Value>, used: &[&str], language: Language) -> Vec<String> {
    let currency =
        object.iter().find(|(key, _)| is_in("currency moneda moeda", key)).and_then(|(_, code)| code.as_str());
    let rest = object.iter().filter(|(key, value)| {
        !is_empty(value) && !used.contains(&key.as_str()) && (currency.is_none() || value.as_str() != currency)
    });
    let fact = |(key, value): (&String, &Value)| {
        let label = terms::noun(key, language).map_or_else(|| key.replace(['_', '-', '.'], " "), |noun| noun.bare);
        let shown = match (value.as_f64().filter(|_| is_money(key)), currency) {
            (Some(amount), currency) if value.is_f64() || currency.is_some() => {
                format!("{amount:.2} {}", currency.map_or("", |code| head(code, 5))).trim().to_owned()
            }
            _ => short(value, language),
        };
        format!("{}: {shown}", upper_first(head(label.trim(), 60)))
    };
    rest.take(MOST_FACTS).map(fact).collect()
}

/// A value in one line: "2 × blue mug", "Tea (2)", the items of a list.
fn short(value: &Value, language: Language) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(yes) => language.pick(if *yes { ["yes", "sí", "sim"] } else { ["no", "no", "não"] }).to_owned(),
        Value::String(text) => head(text.trim(), LONGEST_VALUE).to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Array(items) => {
            let more = (items.len() > MOST_ITEMS).then(|| "…".to_owned());
            let shown = items.iter().take(MOST_ITEMS).map(|item| short(item, language)).chain(more);
            shown.collect::<Vec<_>>().join(", ")
        }
        Value::Object(object) => {
            let pick = |keys: &str| object.iter().find(|(key, value)| is_in(keys, key) && !value.is_object());
            let name = pick("name title nombre nome titulo product producto produto description");
            let quantity = pick("quantity qty count cantidad quantidade");
            if let (Some((_, name)), Some((_, quantity))) = (name, quantity) {
                return format!("{} × {}", short(quantity, language), short(name, language));
            }
            let others = object.iter().filter(|(key, value)| {
                !value.is_array() && !value.is_object() && name.is_none_or(|(name, _)| name != *key)
            });
            let others = others.map(|(_, value)| short(value, language)).filter(|text| !text.is_empty()).take(4);
            let others = others.collect::<Vec<_>>().join(", ");
            match name {
                Some((_, name)) if others.is_empty() => short(name, language),
                Some((_, name)) => format!("{} ({others})", short(name, language)),
                None => others,
            }
        }
    }
}

fn is_money(key: &str) -> bool {
    terms::parts(key).iter().any(|part| {
        is_in("total price amount cost subtotal fee precio monto importe costo valor preco balance saldo", part)
    })
}

fn is_status(key: &str) -> bool {
    terms::parts(key).iter().any(|part| is_in("status state estado situacao", part))
}

/// True for a status after which nothing is waited for.
fn is_over(status: &str) -> bool {
    let status = fold(status);
    ["deliver", "entreg", "cancel", "refund", "return", "complet"].iter().any(|over| status.starts_with(over))
}

/// The day on which something arrives, from an ISO date under a key that says so.
fn date(key: &str, value: &Value, language: Language) -> Option<String> {
    let arrives = |part: &String| {
        is_in("eta estimated expected estimada estimado prevista previsao arrival delivery entrega", part)
    };
    let mut parts = value.as_str().filter(|_| terms::parts(key).iter().any(arrives))?.get(..10)?.split('-');
    let (_year, month, day) = (parts.next()?, parts.next()?.parse::<usize>().ok()?, parts.next()?.parse::<u8>().ok()?);
    let month = language.pick(MONTHS).split(' ').nth(month.checked_sub(1)?)?;
    Some(language.pick([" ", " de ", " de "])).map(|of| format!("{day}{of}{month}"))
}

fn sentence(text: &str) -> String {
    let is_whole = text.ends_with(['.', '!', '?', '…', ':']) || text.contains('\n');
    if is_whole { text.to_owned() } else { format!("{text}.") }
}

/// "order 1042" for the arguments of a call that found nothing, and the words for the argument to
/// check.
pub(crate) fn search_subject(tool: &str, arguments: &Value, language: Language) -> (Option<String>, Option<String>) {
    let first = arguments
        .as_object()
        .and_then(|object| object.iter().find(|(_, value)| value.is_string() || value.is_number()));
    let Some((key, value)) = first else { return (None, None) };
    let value = head(&short(value, language), 40).to_owned();
    let thing = terms::thing_of(key, language)
        .or_else(|| terms::thing_in(tool, language).filter(|_| value.contains(|c: char| c.is_ascii_digit())));
    let what = thing.map(|thing| match language {
        Language::English => format!("{} {value}", thing.bare),
        _ => format!("{} {value}", thing.definite),
    });
    (what, terms::noun(key, language).map(|noun| noun.definite))
}
