//! Fills a tool's arguments from what the person wrote.
//!
//! Only what stands there: a missing argument is asked for, never made up. What kind of value an argument wants is read
//! from its schema first and from its name second, because the variables of a webhook URL are plain strings.

use domain::chat::ToolSpec;
use serde_json::{Map, Value};

use super::conversation::head;
use super::language::{Language, of_text};
use super::lexicon::{fold, meaning_of_option, stem, words};
use super::phrases::{Wanted, choices};
use super::scan::Scan;
use super::step_prompt::Named;
use super::terms::{self, noun};

/// Arguments as far as they are known.
#[derive(Debug, Default)]
pub(super) struct Filled {
    pub(super) values: Map<String, Value>,
    /// Required and not found, in the order of the schema.
    pub(super) missing: Vec<String>,
    /// Whether the unanswered texts themselves gave a typed value.
    pub(super) fresh: bool,
    /// Whether all that is required is what was written: a search.
    pub(super) search: bool,
    /// Whether a person's words can fill everything that is required.
    pub(super) possible: bool,
}

/// Where values may come from.
#[derive(Debug, Default)]
pub(super) struct Sources<'a> {
    /// The unanswered texts.
    pub(super) wish: &'a str,
    /// Texts before, newest first.
    pub(super) earlier: Vec<&'a str>,
    /// What was said last, perhaps a question about an argument.
    pub(super) said: Option<&'a str>,
    /// Knowledge bases of the step.
    pub(super) knowledge: &'a [Named<'a>],
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Choice(Vec<Value>),
    Email,
    Phone,
    Date,
    Time,
    Name,
    Integer,
    Number,
    Code,
    YesNo,
    /// Whatever was written.
    Wording,
    /// A list of what was written.
    Wordings,
    KnowledgeKey,
    /// Text that must be quoted, labelled or the answer to our question.
    Text,
    Unfillable,
}

/// Fills what can be filled.
pub(super) fn fill(tool: &ToolSpec, sources: &Sources) -> Filled {
    let mut filled = Filled { possible: true, ..Filled::default() };
    let empty = Map::new();
    let properties = tool.parameters.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    let required: Vec<&str> = tool
        .parameters
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).take(40).collect())
        .unwrap_or_default();
    let mut open: Vec<(&str, Kind)> = properties
        .iter()
        .take(40)
        .map(|(name, schema)| (name.as_str(), kind(name, schema)))
        .filter(|(name, kind)| required.contains(name) || !matches!(kind, Kind::Wording | Kind::Wordings | Kind::YesNo))
        .collect();
    let worded = |kind: &Kind| matches!(kind, Kind::Wording | Kind::Wordings);
    let mut needed = open.iter().filter(|(name, _)| required.contains(name)).peekable();
    filled.search = needed.peek().is_some()
        && needed.all(|(_, kind)| worded(kind) || *kind == Kind::KnowledgeKey)
        && open.iter().any(|(_, kind)| worded(kind));
    for name in required.iter().filter(|name| !properties.contains_key(**name)) {
        open.push((name, kind(name, &Value::Null)));
    }
    // What is easiest to recognise first, so that a date is not taken for an order number.
    open.sort_by_key(|(_, kind)| rank(kind));
    let mut found = Vec::new();
    for (place, text) in std::iter::once(sources.wish).chain(sources.earlier.iter().copied()).enumerate() {
        let mut scan = Scan::of(text);
        open.retain(|(name, kind)| {
            let asked = place == 0 && sources.said.is_some_and(|said| asks_for(said, tool, name));
            let Some(value) = value(name, kind, text, &mut scan, asked, sources.knowledge) else { return true };
            filled.fresh |= place == 0 && !matches!(kind, Kind::Wording | Kind::Wordings | Kind::KnowledgeKey);
            found.push(((*name).to_owned(), value));
            false
        });
    }
    filled.possible = !open.iter().any(|(name, kind)| required.contains(name) && *kind == Kind::Unfillable);
    let order = |name: &str| properties.keys().position(|key| key == name).unwrap_or(usize::MAX);
    found.sort_by_key(|(name, _)| order(name));
    filled.values = found.into_iter().collect();
    filled.missing =
        required.iter().filter(|name| !filled.values.contains_key(**name)).map(|name| (*name).to_owned()).collect();
    filled
}

/// The schema of an argument.
fn schema<'t>(tool: &'t ToolSpec, name: &str) -> Option<&'t Value> {
    tool.parameters.get("properties")?.get(name)
}

/// The words to ask for an argument with, and a line with the choices if there are any.
pub(super) fn wanted(tool: &ToolSpec, name: &str, language: Language) -> (Wanted, String) {
    let schema = schema(tool, name);
    let options: Vec<String> = match schema.map(|schema| kind(name, schema)) {
        Some(Kind::Choice(values)) => values.iter().take(10).map(shown).collect(),
        _ => Vec::new(),
    };
    let description = schema
        .and_then(|schema| schema.get("description"))
        .and_then(Value::as_str)
        .map(|text| text.trim().trim_end_matches('.'))
        .filter(|text| !text.is_empty() && text.chars().count() <= 80 && of_text(text) == Some(language));
    let wanted = match (noun(name, language), description) {
        (Some(noun), _) => Wanted::Known(noun),
        (None, Some(description)) => Wanted::Unknown(description.to_owned()),
        (None, None) => Wanted::Unknown(terms::readable(name)),
    };
    (wanted, choices(language, &options))
}

/// Whether something said asks for an argument, in any of the languages.
pub(super) fn asks_for(said: &str, tool: &ToolSpec, name: &str) -> bool {
    let question = said.contains('?');
    question && Language::ALL.iter().any(|language| said.contains(wanted(tool, name, *language).0.text()))
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => head(text, 60).replace('_', " "),
        other => other.to_string(),
    }
}

fn kind(name: &str, schema: &Value) -> Kind {
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return Kind::Choice(values.iter().take(100).cloned().collect());
    }
    if let Some(value) = schema.get("const") {
        return Kind::Choice(vec![value.clone()]);
    }
    let types = schema.get("type");
    let first = types.and_then(|types| types.as_str().or_else(|| types.as_array()?.first()?.as_str()));
    match first {
        Some("integer") => Kind::Integer,
        Some("number") => Kind::Number,
        Some("boolean") => Kind::YesNo,
        Some("array") => match schema.get("items").and_then(|items| items.get("type")).and_then(Value::as_str) {
            Some("string") | None => Kind::Wordings,
            Some(_) => Kind::Unfillable,
        },
        Some("object" | "null") => Kind::Unfillable,
        _ => string_kind(name, schema),
    }
}

fn string_kind(name: &str, schema: &Value) -> Kind {
    match schema.get("format").and_then(Value::as_str) {
        Some("email") => return Kind::Email,
        Some("date" | "date-time") => return Kind::Date,
        Some("time") => return Kind::Time,
        _ => {}
    }
    let parts = terms::parts(name);
    let has = |list: &[&str]| parts.iter().any(|part| list.contains(&part.as_str()));
    if name == "knowledge_base_key" {
        return Kind::KnowledgeKey;
    }
    if has(&["email", "mail", "correo"]) {
        return Kind::Email;
    }
    if has(&["phone", "telephone", "telefono", "telefone", "celular", "mobile", "whatsapp"]) {
        return Kind::Phone;
    }
    if has(&["date", "fecha", "data", "day", "dia"]) {
        return Kind::Date;
    }
    if has(&["time", "hora", "horario", "hour"]) {
        return Kind::Time;
    }
    if has(&["number", "numero", "num", "nro", "id", "code", "codigo", "dni", "cpf", "reference", "referencia"]) {
        return Kind::Code;
    }
    if has(&["name", "nombre", "nome"]) {
        return Kind::Name;
    }
    let free = [
        "query",
        "question",
        "text",
        "message",
        "search",
        "comment",
        "comments",
        "prompt",
        "input",
        "consulta",
        "pregunta",
        "pergunta",
        "busqueda",
        "busca",
        "texto",
        "mensaje",
        "mensagem",
        "comentario",
        "comentarios",
        "q",
    ];
    if parts.len() <= 2 && has(&free) {
        return Kind::Wording;
    }
    if parts.len() == 1 && has(&["order", "pedido", "tracking", "invoice", "factura", "fatura", "encomenda"]) {
        return Kind::Code;
    }
    Kind::Text
}

fn rank(kind: &Kind) -> u8 {
    match kind {
        Kind::Email => 0,
        Kind::Date => 1,
        Kind::Time => 2,
        Kind::Phone => 3,
        Kind::Choice(_) => 4,
        Kind::Name => 5,
        Kind::Integer => 6,
        Kind::Code => 7,
        Kind::Number => 8,
        _ => 9,
    }
}

fn value(name: &str, kind: &Kind, text: &str, scan: &mut Scan, asked: bool, knowledge: &[Named]) -> Option<Value> {
    match kind {
        Kind::Choice(values) => choose(values, text),
        Kind::Email => scan.email().map(Value::from),
        Kind::Phone => scan.phone().map(Value::from),
        Kind::Date => scan.date().map(Value::from),
        Kind::Time => scan.time().map(Value::from),
        Kind::Name => scan.name().or_else(|| whole_answer(text, asked).filter(|_| is_name_like(text))).map(Value::from),
        Kind::Integer => {
            let noun = terms::parts(name);
            scan.integer(|next| noun.iter().any(|part| !next.is_empty() && stem(part) == stem(next))).map(Value::from)
        }
        Kind::Number => scan.number().and_then(serde_json::Number::from_f64).map(Value::Number),
        Kind::Code => scan.code().map(Value::from),
        Kind::YesNo => yes_or_no(text).filter(|_| asked).map(Value::from),
        Kind::Wording => Some(head(text.trim(), 500)).filter(|text| !text.is_empty()).map(Value::from),
        Kind::Wordings => {
            Some(head(text.trim(), 500)).filter(|text| !text.is_empty()).map(|text| Value::from(vec![text]))
        }
        Kind::KnowledgeKey => best_key(knowledge, text).map(Value::from),
        Kind::Text => {
            quoted(text).or_else(|| labelled(name, text)).or_else(|| whole_answer(text, asked)).map(Value::from)
        }
        Kind::Unfillable => None,
    }
}

/// The choice that the text names: in full, or by the beginning of a word in another language (`pediatrics`, `pediatria`).
fn choose(values: &[Value], text: &str) -> Option<Value> {
    if let [only] = values {
        return Some(only.clone());
    }
    let said = words(text).list;
    let names = |value: &Value| words(&shown(value)).list;
    let full = values.iter().find(|value| {
        let names = names(value);
        !names.is_empty() && said.windows(names.len()).any(|window| window == names)
    });
    let alike = || {
        values.iter().find(|value| {
            let names = names(value);
            !names.is_empty() && names.iter().all(|name| said.iter().any(|word| same_beginning(name, word)))
        })
    };
    full.or_else(alike).cloned()
}

fn same_beginning(one: &str, other: &str) -> bool {
    if stem(one) == stem(other) {
        return true;
    }
    let common = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    common >= 6
}

fn yes_or_no(text: &str) -> Option<bool> {
    match words(text).list.first()?.as_str() {
        "yes" | "yeah" | "yep" | "sure" | "si" | "claro" | "sim" => Some(true),
        "no" | "nope" | "nao" => Some(false),
        _ => None,
    }
}

fn best_key<'k>(knowledge: &[Named<'k>], text: &str) -> Option<&'k str> {
    let wish = meaning_of_option(text);
    let mut best: Option<(i32, &str)> = None;
    for base in knowledge.iter().take(50) {
        let score = wish.fit(&meaning_of_option(&format!("{} {}", base.name, head(base.text, 500))));
        if best.is_none_or(|(highest, _)| score > highest) {
            best = Some((score, base.name));
        }
    }
    best.map(|(_, name)| name)
}

fn quoted(text: &str) -> Option<String> {
    for (open, close) in [('"', '"'), ('“', '”'), ('«', '»'), ('„', '“')] {
        if let Some((_, rest)) = text.split_once(open)
            && let Some((inside, _)) = rest.split_once(close)
            && !inside.trim().is_empty()
        {
            return Some(inside.trim().to_owned());
        }
    }
    None
}

/// `city: Lima`, in the argument's own words or ours.
fn labelled(name: &str, text: &str) -> Option<String> {
    let mut labels = vec![terms::readable(name)];
    labels.extend(Language::ALL.iter().filter_map(|language| noun(name, *language)).map(|noun| fold(&noun.bare)));
    text.lines().find_map(|line| {
        let (label, rest) = line.split_once(':')?;
        let label = words(label).list.join(" ");
        let rest = rest.trim();
        (!rest.is_empty() && labels.iter().any(|known| label.ends_with(known.as_str()))).then(|| rest.to_owned())
    })
}

/// The text as the answer to our question, without "it is" before it.
fn whole_answer(text: &str, asked: bool) -> Option<String> {
    let text = text.trim();
    if !asked || text.is_empty() || text.ends_with('?') || text.chars().count() > 300 {
        return None;
    }
    let folded = fold(text);
    for lead in ["it is ", "it's ", "its ", "the ", "es ", "e ", "is ", "sou ", "soy "] {
        if folded.starts_with(lead) {
            let rest: String = text.chars().skip(lead.chars().count()).collect();
            return Some(rest.trim().trim_end_matches('.').to_owned()).filter(|rest| !rest.is_empty());
        }
    }
    Some(text.trim_end_matches('.').to_owned()).filter(|rest| !rest.is_empty())
}

/// One to four words and no digit: could be a name.
fn is_name_like(text: &str) -> bool {
    let words = words(text).list;
    (1..=5).contains(&words.len()) && !text.chars().any(|character| character.is_ascii_digit())
}
