//! Fills a tool's arguments from the texts of the contact.
//!
//! A missing argument is asked for, never made up. The kind of value is read from the schema first
//! and from the argument's name second, because the variables of a webhook URL are plain strings.

use std::collections::BTreeMap;

use domain::chat::ToolSpec;
use serde_json::{Map, Value};

use crate::language::Language;
use crate::meaning::Meaning;
use crate::phrases;
use crate::scan::Scan;
use crate::step_prompt::Named;
use crate::terms::{self, noun};
use crate::text::{fold, head, is_in, stem, words};

/// Further arguments of a tool are not read.
const MOST: usize = 40;

#[derive(Debug)]
pub(crate) struct Filled<'t> {
    pub(crate) values: Map<String, Value>,
    /// Required and not found, in the order of the schema.
    pub(crate) missing: Vec<&'t str>,
    /// True if the unanswered texts gave a typed value.
    pub(crate) is_fresh: bool,
    /// True if a text as written is all that is required.
    pub(crate) is_search: bool,
    /// False if the contact's words cannot fill a required argument.
    pub(crate) is_possible: bool,
}

/// The texts that values may come from.
#[derive(Debug)]
pub(crate) struct Sources<'a> {
    /// The unanswered texts.
    pub(crate) wish: &'a str,
    /// Earlier texts, newest first.
    pub(crate) earlier: Vec<&'a str>,
    /// The agent's last text, perhaps a question about an argument.
    pub(crate) agent_text: Option<&'a str>,
    pub(crate) knowledge: &'a [Named<'a>],
}

/// In the order in which values are looked for: a date comes first, so that it is not taken for a
/// code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Email,
    Date,
    Choice,
    Name,
    Number,
    Code,
    YesNo,
    /// The text as written.
    Wording,
    KnowledgeKey,
    /// The answer to a question about it.
    Text,
    Unfillable,
}

impl Kind {
    const fn is_search(self) -> bool {
        matches!(self, Self::Wording | Self::KnowledgeKey)
    }
}

#[derive(Clone, Copy)]
struct Argument<'t> {
    name: &'t str,
    schema: &'t Value,
    kind: Kind,
    is_required: bool,
}

/// The required arguments and those optional ones that a text can give without a question.
fn arguments(tool: &ToolSpec) -> Vec<Argument<'_>> {
    let properties = tool.parameters.get("properties").and_then(Value::as_object);
    let required: Vec<&str> = required(tool).collect();
    let mut arguments: Vec<Argument> = Vec::new();
    let names = properties.into_iter().flat_map(Map::keys).map(String::as_str).take(MOST);
    for name in names.chain(required.iter().copied()) {
        let schema = schema(tool, name);
        let (kind, is_required) = (kind(name, schema), required.contains(&name));
        if !arguments.iter().any(|known| known.name == name) && (is_required || kind < Kind::YesNo) {
            arguments.push(Argument { name, schema, kind, is_required });
        }
    }
    arguments
}

pub(crate) fn required(tool: &ToolSpec) -> impl Iterator<Item = &str> {
    let names = tool.parameters.get("required").and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str).take(MOST)
}

fn schema<'t>(tool: &'t ToolSpec, name: &str) -> &'t Value {
    tool.parameters.get("properties").and_then(|properties| properties.get(name)).unwrap_or(&Value::Null)
}

pub(crate) fn fill<'t>(tool: &'t ToolSpec, sources: &Sources) -> Filled<'t> {
    let arguments = arguments(tool);
    let mut open = arguments.clone();
    open.sort_by_key(|argument| argument.kind);
    let (mut found, mut is_fresh) = (BTreeMap::new(), false);
    for (place, text) in std::iter::once(sources.wish).chain(sources.earlier.iter().copied()).enumerate() {
        let mut scan = Scan::of(text);
        open.retain(|argument| {
            let is_asked = place == 0 && sources.agent_text.is_some_and(|text| asks_for(text, tool, argument.name));
            let value = match argument.kind {
                Kind::KnowledgeKey => best_key(sources.knowledge, text).map(Value::from),
                _ => value(argument, text, &mut scan, is_asked),
            };
            let Some(value) = value else { return true };
            is_fresh |= place == 0 && !argument.kind.is_search();
            found.insert(argument.name, value);
            false
        });
    }
    let required = || arguments.iter().filter(|argument| argument.is_required);
    Filled {
        missing: required().map(|argument| argument.name).filter(|name| !found.contains_key(name)).collect(),
        is_search: required().next().is_some() && required().all(|argument| argument.kind.is_search()),
        is_possible: required().all(|argument| argument.kind != Kind::Unfillable),
        is_fresh,
        values: arguments.iter().filter_map(|one| Some((one.name.to_owned(), found.remove(one.name)?))).collect(),
    }
}

/// The words for an argument, and the question for it with the choices, if there are any.
pub(crate) fn question(tool: &ToolSpec, name: &str, language: Language) -> (String, String) {
    let (phrase, words) = match noun(name, language) {
        Some(noun) => (phrases::ASK, noun.definite),
        None => (phrases::ASK_UNKNOWN, terms::parts(name).join(" ")),
    };
    let mut question = language.fill(phrase, &words);
    let choices: Vec<String> = choices(schema(tool, name)).iter().take(10).map(shown).collect();
    if let [first @ .., last] = choices.as_slice() {
        let or = if first.is_empty() { "" } else { language.pick([" or ", " o ", " ou "]) };
        question = format!("{question} {}", language.fill(phrases::CHOICES, &(first.join(", ") + or + last)));
    }
    (words, question)
}

/// True if a text of the agent asks for an argument, in any of the languages.
pub(crate) fn asks_for(text: &str, tool: &ToolSpec, name: &str) -> bool {
    text.contains('?') && Language::ALL.iter().any(|language| text.contains(&question(tool, name, *language).0))
}

fn choices(schema: &Value) -> &[Value] {
    schema.get("enum").and_then(Value::as_array).map_or(&[], |values| &values[..values.len().min(100)])
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), |text| head(text, 60).replace('_', " "))
}

fn kind(name: &str, schema: &Value) -> Kind {
    let types = schema.get("type");
    match types.and_then(|types| types.as_str().or_else(|| types.as_array()?.first()?.as_str())) {
        _ if schema.get("enum").is_some() => Kind::Choice,
        Some("integer" | "number") => Kind::Number,
        Some("boolean") => Kind::YesNo,
        Some("array") if schema.pointer("/items/type").is_none_or(|items| items == "string") => Kind::Wording,
        Some("array" | "object" | "null") => Kind::Unfillable,
        _ => string_kind(name, schema.get("format").and_then(Value::as_str).unwrap_or_default()),
    }
}

fn string_kind(name: &str, format: &str) -> Kind {
    let parts = terms::parts(name);
    let has = |list: &str| parts.iter().any(|part| is_in(list, part));
    let code = "number numero num nro id code codigo dni cpf reference referencia";
    let wording = "query question text message search comment prompt consulta pregunta pergunta busca texto mensaje \
        mensagem comentario q";
    if name == "knowledge_base_key" {
        Kind::KnowledgeKey
    } else if format == "email" || has("email mail correo") {
        Kind::Email
    } else if is_in("date date-time", format) || has("date fecha data day dia") {
        Kind::Date
    } else if has(code) || (parts.len() == 1 && has("order pedido tracking invoice factura fatura encomenda")) {
        Kind::Code
    } else if has("name nombre nome") {
        Kind::Name
    } else if parts.len() <= 2 && has(wording) {
        Kind::Wording
    } else {
        Kind::Text
    }
}

fn value(argument: &Argument, text: &str, scan: &mut Scan, is_asked: bool) -> Option<Value> {
    let whole = || whole_answer(text, is_asked);
    match argument.kind {
        Kind::Choice => choose(choices(argument.schema), text),
        Kind::Email => scan.email().map(Value::from),
        Kind::Date => scan.date().map(Value::from),
        Kind::Name => scan.name().or_else(|| whole().filter(|name| is_like_name(name))).map(Value::from),
        Kind::Number => {
            let counted = terms::parts(argument.name);
            let number = scan.number(|next| counted.iter().any(|part| !next.is_empty() && stem(part) == stem(next)))?;
            let number = serde_json::from_str::<Value>(&number).ok()?;
            (number.is_i64() || argument.schema.get("type")? == "number").then_some(number)
        }
        Kind::Code => scan.code().map(Value::from),
        Kind::YesNo => yes_or_no(text).filter(|_| is_asked).map(Value::from),
        Kind::Wording => {
            let written = Some(head(text.trim(), 500)).filter(|text| !text.is_empty())?;
            let is_list = argument.schema.get("type").is_some_and(|one| one == "array");
            Some(if is_list { Value::from(vec![written]) } else { Value::from(written) })
        }
        Kind::Text => whole().map(Value::from),
        Kind::KnowledgeKey | Kind::Unfillable => None,
    }
}

/// The choice that the text names, in full or by the beginning of its words (`pediatrics`,
/// `pediatria`).
fn choose(values: &[Value], text: &str) -> Option<Value> {
    if let [only] = values {
        return Some(only.clone());
    }
    let text_words = words(text).list;
    let common = |one: &str, other: &str| one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let is_named = |value: &Value, shortest: usize| {
        let names = words(&shown(value)).list;
        let is_mentioned = |name: &String| text_words.iter().any(|word| word == name || common(word, name) >= shortest);
        !names.is_empty() && names.iter().all(is_mentioned)
    };
    [usize::MAX, 6].iter().find_map(|shortest| values.iter().find(|value| is_named(value, *shortest))).cloned()
}

fn yes_or_no(text: &str) -> Option<bool> {
    let first = words(text).list.into_iter().next()?;
    let is_yes = is_in("yes yeah yep sure si claro sim", &first);
    (is_yes || is_in("no nope nao", &first)).then_some(is_yes)
}

fn best_key<'k>(bases: &[Named<'k>], text: &str) -> Option<&'k str> {
    let wish = Meaning::of_option(text);
    let score = |base: &&Named| wish.fit(&Meaning::of_option(&format!("{} {}", base.name, head(base.text, 500))));
    // The first of those that fit equally well.
    bases.iter().take(50).rev().max_by_key(score).map(|base| base.name)
}

/// The text as the answer to a question, without "it is" before it.
fn whole_answer(text: &str, is_asked: bool) -> Option<String> {
    let text = text.trim();
    if !is_asked || text.ends_with('?') || text.chars().count() > 300 {
        return None;
    }
    let folded = fold(text);
    let lead = ["it is ", "it's ", "the ", "es ", "e "].into_iter().find(|lead| folded.starts_with(lead));
    let answer: String = text.chars().skip(lead.map_or(0, str::len)).collect();
    Some(answer.trim().trim_end_matches('.').to_owned()).filter(|answer| !answer.is_empty())
}

fn is_like_name(text: &str) -> bool {
    (1..=5).contains(&words(text).list.len()) && !text.contains(|character: char| character.is_ascii_digit())
}
