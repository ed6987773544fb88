//! Validates JSON against the document's schemas and reports problems in plain words.
//!
//! Each schema is compiled once per process. Codes and messages are part of the contract: clients
//! show them.

use crate::ApiError;
use domain::{Problem, Timestamp, phone};
use jsonschema::{
    JsonType, ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind as Kind},
};
use serde_json::{Value, json};
use std::{
    any::TypeId,
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use utoipa::ToSchema;

/// Maximum number of distinct problems: comparing ten thousand with each other would take minutes.
const MOST_PROBLEMS: usize = 200;

/// A compiled schema.
pub(crate) struct Schema(Validator);

/// Compiled schema of a type, cached.
pub(crate) fn of<T: ToSchema + 'static>() -> Result<Arc<Schema>, ApiError> {
    cached::<T>(|| {
        let mut parts = Vec::new();
        T::schemas(&mut parts);
        let parts: serde_json::Map<_, _> = parts.into_iter().map(|(name, part)| (name, json!(part))).collect();
        let mut whole = json!(T::schema());
        whole["components"] = json!({"schemas": parts});
        whole
    })
}

pub(super) fn cached<T: 'static>(make: impl FnOnce() -> Value) -> Result<Arc<Schema>, ApiError> {
    static COMPILED: Mutex<Option<HashMap<TypeId, Arc<Schema>>>> = Mutex::new(None);
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let compiled = compiled.get_or_insert_default();
    if let Some(found) = compiled.get(&TypeId::of::<T>()) {
        return Ok(found.clone());
    }
    let validator = jsonschema::options()
        .offline()
        .should_validate_formats(true)
        .with_format("date-time", |text: &str| Timestamp::parse_iso(text).is_some())
        .with_format("uuid", |text: &str| text.parse::<domain::ids::ProjectId>().is_ok())
        .with_format("phone", |text: &str| phone::normalise(text).is_ok())
        .with_format("uri", |text: &str| url::Url::parse(text).is_ok())
        .build(&make())
        .map_err(|error| ApiError::Internal(format!("{}: {error}", std::any::type_name::<T>())))?;
    let made = Arc::new(Schema(validator));
    compiled.insert(TypeId::of::<T>(), made.clone());
    Ok(made)
}

impl Schema {
    /// Problems of a value in the order of its fields, limited to a few hundred.
    pub(crate) fn problems(&self, value: &Value) -> Vec<Problem> {
        let mut problems = Vec::new();
        for error in self.0.iter_errors(value) {
            if problems.len() >= MOST_PROBLEMS {
                break;
            }
            add(&error, &mut problems);
        }
        problems
    }
}

fn add(error: &ValidationError<'_>, problems: &mut Vec<Problem>) {
    if let Kind::AnyOf { context } | Kind::OneOfNotValid { context } = error.kind() {
        return add_nearest(error, context, problems);
    }
    let mut path = error.instance_path().as_str().to_owned();
    if let Kind::Required { property } = error.kind() {
        path.push('/');
        path.push_str(&property.as_str().unwrap_or_default().replace('~', "~0").replace('/', "~1"));
    }
    let (code, message) = words(error);
    let problem = Problem::new(path, code, message);
    if !problems.contains(&problem) {
        problems.push(problem);
    }
}

/// Picks the problems of the intended variant: the one with the type and tag that were sent.
/// Without one, names the allowed types or tags.
fn add_nearest(error: &ValidationError<'_>, shapes: &[Vec<ValidationError<'static>>], problems: &mut Vec<Problem>) {
    let place = error.instance_path().as_str();
    let at = |wrong: &ValidationError<'_>| wrong.instance_path().as_str() == place;
    let other_type = |wrong: &&ValidationError<'_>| matches!(wrong.kind(), Kind::Type { .. }) && at(wrong);
    let other_tag = |wrong: &&ValidationError<'_>| matches!(wrong.kind(), Kind::Enum { .. }) && !at(wrong);
    let of_type: Vec<_> = shapes.iter().filter(|shape| !shape.iter().any(|wrong| other_type(&wrong))).collect();
    let of_tag = || of_type.iter().filter(|shape| !shape.iter().any(|wrong| other_tag(&wrong)));
    if let Some(meant) = of_tag().min_by_key(|shape| shape.len()) {
        return meant.iter().take(MOST_PROBLEMS).for_each(|wrong| add(wrong, problems));
    }
    let tags: Vec<_> = of_type.iter().filter_map(|shape| shape.iter().find(other_tag)).collect();
    let Some(tag) = tags.first() else {
        let wrong = shapes.iter().flatten().filter(other_type);
        let types: Vec<&str> = wrong.flat_map(|wrong| types(wrong.kind())).collect();
        return problems.push(type_problem(place, error.instance(), &types));
    };
    let words = tags.iter().filter_map(|wrong| match wrong.kind() {
        Kind::Enum { options } => options.as_array(),
        _ => None,
    });
    let message = format!("must be {}", either(words.flatten().filter_map(Value::as_str)));
    problems.push(Problem::new(tag.instance_path().as_str(), "unknown_value", message));
}

fn type_problem(path: &str, value: &Value, types: &[&str]) -> Problem {
    let (code, message) = type_words(value, types);
    Problem::new(path, code, message)
}

fn type_words(value: &Value, types: &[&str]) -> (&'static str, String) {
    if value.is_null() {
        return ("blank", "can't be blank".into());
    }
    ("wrong_type", format!("must be {}", either(types.iter().copied())))
}

fn types(kind: &Kind) -> Vec<&'static str> {
    let named = |kind: JsonType| match kind {
        JsonType::Array => Some("a list"),
        JsonType::Boolean => Some("true or false"),
        JsonType::Integer => Some("a whole number"),
        JsonType::Number => Some("a number"),
        JsonType::Object => Some("an object"),
        JsonType::String => Some("a text"),
        // Omits "or null": it does not help to correct a wrong value.
        JsonType::Null => None,
    };
    match kind {
        Kind::Type { kind: TypeKind::Single(one) } => named(*one).into_iter().collect(),
        Kind::Type { kind: TypeKind::Multiple(many) } => many.iter().filter_map(named).collect(),
        _ => Vec::new(),
    }
}

/// Code and message of one error.
fn words(error: &ValidationError<'_>) -> (&'static str, String) {
    let value = error.instance();
    match error.kind() {
        Kind::Required { .. } | Kind::MinLength { limit: 1 } => ("blank", "can't be blank".into()),
        Kind::Pattern { pattern } if pattern == NOT_BLANK => ("blank", "can't be blank".into()),
        kind @ Kind::Type { .. } => type_words(value, &types(kind)),
        Kind::Enum { options } => {
            let words = options.as_array().into_iter().flatten().filter_map(Value::as_str);
            ("unknown_value", format!("must be {}", either(words)))
        }
        Kind::Constant { expected_value } => ("unknown_value", format!("must be {expected_value}")),
        Kind::Minimum { limit } => ("out_of_range", format!("must be {limit} or more")),
        Kind::Maximum { limit } => ("out_of_range", format!("must be {limit} or less")),
        Kind::ExclusiveMinimum { limit } => ("out_of_range", format!("must be more than {limit}")),
        Kind::ExclusiveMaximum { limit } => ("out_of_range", format!("must be less than {limit}")),
        Kind::MinLength { limit } => ("too_short", format!("must be at least {limit} characters")),
        Kind::MaxLength { limit } => ("too_long", format!("must be at most {limit} characters")),
        Kind::MinItems { limit } => ("too_few", format!("must have {limit} or more items")),
        Kind::MaxItems { limit } => ("too_many", format!("must have at most {limit} items")),
        Kind::MinProperties { limit } => ("too_few", format!("must have {limit} or more keys")),
        Kind::MaxProperties { limit } => ("too_many", format!("must have at most {limit} keys")),
        Kind::UniqueItems => ("repeated", "must not hold the same item twice".into()),
        Kind::Pattern { pattern } => ("invalid_format", format!("must match {pattern}")),
        Kind::Format { format } => format_words(format, value),
        _ => ("invalid", "is not acceptable".into()),
    }
}

fn format_words(format: &str, value: &Value) -> (&'static str, String) {
    match format {
        "date-time" => ("invalid_time", "must be an ISO 8601 time".into()),
        "uuid" => ("invalid_id", "must be a UUID".into()),
        "uri" => ("invalid_url", "must be a URL".into()),
        "email" => ("invalid_email", "must be an e-mail address".into()),
        "phone" => {
            let why = phone::normalise(value.as_str().unwrap_or_default()).err().map(|error| error.to_string());
            ("invalid_phone_number", why.unwrap_or_default())
        }
        other => ("invalid_format", format!("must be of the form {other}")),
    }
}

/// Pattern of non-blank text; with `min_length = 1` the message is `can't be blank`.
const NOT_BLANK: &str = r"\S";

/// Joins words: `a`, `a or b`, `a, b or c`.
fn either<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.collect();
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}
