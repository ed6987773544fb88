//! Single values of data as a person reads them: dates, money, lists, yes and no.

use serde_json::{Map, Value};

use super::conversation::head;
use super::language::Language;
use super::terms;

const LONGEST: usize = 200;

/// The value of a field; None if there is nothing to show.
pub(super) fn shown(key: &str, value: &Value, currency: Option<&str>, language: Language) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if text.trim().is_empty() => None,
        Value::Array(items) if items.is_empty() => None,
        Value::Object(object) if object.is_empty() => None,
        Value::Array(items) => Some(list(items, language)),
        Value::Object(object) => Some(line(object, language)),
        _ if is_money(key) => Some(money(value, currency)),
        _ => Some(scalar(key, value, language)),
    }
}

/// A value that is no list and no object.
pub(super) fn scalar(key: &str, value: &Value, language: Language) -> String {
    match value {
        Value::Bool(true) => language.pick("yes", "sí", "sim").to_owned(),
        Value::Bool(false) => language.pick("no", "no", "não").to_owned(),
        Value::String(text) => {
            let text = head(text.trim(), LONGEST);
            let status = is_status(key).then(|| terms::status(text, language, false)).flatten();
            status.or_else(|| pretty_date(text, language, true)).unwrap_or_else(|| text.to_owned())
        }
        other => raw(other),
    }
}

/// A list in one line, five of it at most.
pub(super) fn list(items: &[Value], language: Language) -> String {
    let mut parts: Vec<String> = items
        .iter()
        .take(5)
        .map(|item| match item {
            Value::Object(object) => line(object, language),
            Value::Array(inner) => format!("{}", inner.len()),
            scalar_value => scalar("", scalar_value, language),
        })
        .collect();
    if items.len() > 5 {
        parts.push("…".to_owned());
    }
    parts.join(", ")
}

/// An object in one line: "2 × blue mug", or its fields.
pub(super) fn line(object: &Map<String, Value>, language: Language) -> String {
    let pick = |keys: &[&str]| {
        object.iter().find(|(key, value)| {
            keys.contains(&key.to_lowercase().as_str()) && (value.is_string() || value.is_number())
        })
    };
    let name = pick(&[
        "name",
        "title",
        "nombre",
        "nome",
        "titulo",
        "product",
        "producto",
        "produto",
        "description",
        "descripcion",
    ]);
    let quantity = pick(&["quantity", "qty", "count", "cantidad", "quantidade"]);
    match (name, quantity) {
        (Some((_, name)), Some((_, quantity))) => format!("{} × {}", raw(quantity), head(&raw(name), LONGEST)),
        (Some((key, name)), None) if object.len() <= 2 => {
            let other = object.iter().find(|(other, _)| *other != key);
            match other.and_then(|(key, value)| simple(key, value, language)) {
                Some(other) => format!("{} ({other})", head(&raw(name), LONGEST)),
                None => head(&raw(name), LONGEST).to_owned(),
            }
        }
        _ => {
            let parts: Vec<String> =
                object.iter().filter_map(|(key, value)| simple(key, value, language)).take(4).collect();
            parts.join(", ")
        }
    }
}

/// A field without its label where the value speaks for itself.
fn simple(key: &str, value: &Value, language: Language) -> Option<String> {
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => None,
        Value::Bool(_) => Some(format!("{}: {}", key.replace('_', " "), scalar(key, value, language))),
        _ => Some(scalar(key, value, language)).filter(|text| !text.is_empty()),
    }
}

/// A string or number as it stands, at most 200 characters.
pub(super) fn raw(value: &Value) -> String {
    match value {
        Value::String(text) => head(text.trim(), LONGEST).to_owned(),
        other => head(&other.to_string(), LONGEST).to_owned(),
    }
}

fn money(value: &Value, currency: Option<&str>) -> String {
    let amount = match value {
        Value::Number(number) if number.is_f64() => {
            number.as_f64().map_or_else(|| number.to_string(), |amount| format!("{amount:.2}"))
        }
        other => raw(other),
    };
    match currency {
        Some(currency) if amount.chars().all(|c| c.is_ascii_digit() || c == '.' || c == ',') => {
            format!("{amount} {currency}")
        }
        _ => amount,
    }
}

fn is_money(key: &str) -> bool {
    let money = [
        "total", "price", "amount", "cost", "subtotal", "fee", "precio", "monto", "importe", "costo", "valor", "preco",
        "balance", "saldo",
    ];
    terms::parts(key).iter().any(|part| money.contains(&part.as_str()))
}

/// Whether a field tells how something stands.
pub(super) fn is_status(key: &str) -> bool {
    let parts = terms::parts(key);
    let last = parts.last().map(String::as_str);
    let first = parts.first().map(String::as_str);
    let known =
        |part: Option<&str>| matches!(part, Some("status" | "state" | "estado" | "situacao" | "situacion" | "estatus"));
    known(last) || known(first)
}

/// Whether a field tells when something will come.
pub(super) fn is_arrival(key: &str) -> bool {
    let parts = terms::parts(key);
    let has = |words: &[&str]| parts.iter().any(|part| words.contains(&part.as_str()));
    has(&["eta", "estimated", "expected", "estimada", "prevista", "previsao", "estimado"])
        || (has(&["delivery", "entrega", "arrival"]) && has(&["date", "fecha", "data"]))
}

/// Whether a status leaves nothing to wait for.
pub(super) fn is_over(status: Option<&Value>) -> bool {
    let folded = status.and_then(Value::as_str).map(super::lexicon::fold).unwrap_or_default();
    ["deliver", "entreg", "cancel", "refund", "return", "devol", "reembols", "complet"]
        .iter()
        .any(|over| folded.starts_with(over))
}

/// An ISO date (and time) in words; None for anything else.
pub(super) fn pretty_date(text: &str, language: Language, with_year: bool) -> Option<String> {
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |part: &str, length: usize| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
    if parts.next().is_some() || !digits(year, 4) || !digits(month, 2) || !digits(day, 2) {
        return None;
    }
    let name = month.parse::<usize>().ok().and_then(|month| month_name(month, language))?;
    let day = day.parse::<u8>().ok().filter(|day| (1..=31).contains(day))?;
    let mut pretty = language.pick(format!("{day} {name}"), format!("{day} de {name}"), format!("{day} de {name}"));
    if with_year {
        pretty += &language.pick(format!(" {year}"), format!(" de {year}"), format!(" de {year}"));
    }
    if let Some(time) = time {
        let clock = time
            .get(..5)
            .filter(|clock| clock.split_once(':').is_some_and(|(hour, minute)| digits(hour, 2) && digits(minute, 2)))?;
        pretty += &language.pick(format!(" at {clock}"), format!(" a las {clock}"), format!(" às {clock}"));
    }
    Some(pretty)
}

fn month_name(month: usize, language: Language) -> Option<&'static str> {
    let names = language.pick(
        "January February March April May June July August September October November December",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    );
    names.split(' ').nth(month.checked_sub(1)?)
}
