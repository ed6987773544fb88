//! The OpenAPI document is committed, served, complete and consistent.

use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};
use testkit::TestApp;

#[test]
fn committed_document_matches_the_handlers() {
    for (file, document) in [("v1", server::openapi()), ("app", server::app_openapi())] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../openapi/{file}.json"));
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            fs::write(&path, format!("{document:#}\n")).unwrap();
        }
        let committed = fs::read_to_string(path).unwrap_or_default();
        let committed: Value = serde_json::from_str(&committed).unwrap_or_default();
        let same = committed == document;
        assert!(same, "openapi/{file}.json is outdated: run `cargo xtask openapi` and commit the difference");
    }
}

/// `UPDATE_LIMITS=1` writes the table.
#[test]
fn limits_in_the_security_document_match_the_code() {
    const MARKS: [&str; 2] =
        ["<!-- limits: generated from crates/domain/src/limits.rs -->\n", "<!-- end of limits -->\n"];
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../SECURITY.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(MARKS[0]).expect("the start of the table");
    let (table, after) = rest.split_once(MARKS[1]).expect("the end of the table");
    let mut expected = "| Limit | Value | Reason |\n| --- | ---: | --- |\n".to_owned();
    for limit in domain::limits::TABLE {
        expected.push_str(&format!(
            "| `{}` | {} | {} |\n",
            limit.name,
            grouped(limit.value),
            limit.reason.replace('|', "\\|")
        ));
    }
    if std::env::var_os("UPDATE_LIMITS").is_some() {
        fs::write(&path, format!("{before}{}{expected}{}{after}", MARKS[0], MARKS[1])).unwrap();
        return;
    }
    let how = "run with UPDATE_LIMITS=1: cargo test -p chasqui-server --test it limits_in_the_security_document";
    assert_eq!(table, expected, "SECURITY.md is outdated: {how}");
}

/// `1,048,576`
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[tokio::test]
async fn document_is_served_without_a_key() {
    let app = TestApp::start().await;
    let answer = app.call_as(None, reqwest::Method::GET, "/openapi.json", None).await;
    assert_eq!((answer.status, answer.body), (200, server::openapi()));
}

#[test]
fn operations_have_unique_ids_summaries_tags_and_valid_references() {
    let (document, app) = (server::openapi(), server::app_openapi());
    let mut names = Vec::new();
    for item in [&document, &app].into_iter().flat_map(|one| one["paths"].as_object().unwrap().values()) {
        for operation in item.as_object().unwrap().values() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(operation["summary"].is_string() && operation["tags"][0].is_string(), "{name}");
            names.push(name);
        }
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "an operation's name is used twice");
    check_references(&document, &document);
    check_references(&app, &app);
}

#[test]
fn operations_tags_and_variants_are_described_and_named() {
    let document = server::openapi();
    let described = |value: &Value| value["description"].as_str().is_some_and(|text| text.len() > 10);
    let tags: Vec<&Value> = document["tags"].as_array().unwrap().iter().collect();
    assert!(tags.iter().all(|tag| described(tag)), "{tags:?}");
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            assert!(described(operation), "{} has no description", operation["operationId"]);
            let tag = &operation["tags"][0];
            assert!(tags.iter().any(|known| known["name"] == *tag), "{tag} has no description");
        }
    }
    for chapter in ["Keys", "Paging", "Errors", "Limits", "Repeating requests"] {
        assert!(document["info"]["description"].as_str().unwrap().contains(&format!("## {chapter}")), "{chapter}");
    }
    let message = &document["components"]["schemas"]["StructuredMessage"];
    assert_eq!(message["discriminator"]["propertyName"], "type");
    let links: Vec<&str> = message["oneOf"].as_array().unwrap().iter().filter_map(|one| one["$ref"].as_str()).collect();
    let mapped: Vec<&str> =
        message["discriminator"]["mapping"].as_object().unwrap().values().filter_map(Value::as_str).collect();
    assert_eq!(links.len(), 2);
    assert!(links.iter().all(|link| mapped.contains(link)), "{message}");
}

fn check_references(value: &Value, document: &Value) {
    if let Some(link) = value["$ref"].as_str() {
        assert!(document.pointer(link.trim_start_matches('#')).is_some(), "{link} leads nowhere");
    }
    match value {
        Value::Object(fields) => fields.values().for_each(|field| check_references(field, document)),
        Value::Array(items) => items.iter().for_each(|item| check_references(item, document)),
        _ => {}
    }
}

/// If two types share a schema name, the document shows one, and valid bodies of the other are
/// refused.
#[test]
fn schema_names_are_unique() {
    let types = "#[derive(ToSchema)]\n/// One.\npub(super) enum A {\n}\n#[derive(ToSchema)]\n#[schema(as = B)]\nstruct Own;\n\
        left_out! {\n    struct C {} }\nwords!(\n    /// Two.\n    D = \"d\");\nimpl ToSchema for E {}\n#[derive(Debug)]\nstruct F;";
    assert_eq!(schema_names(types), ["A", "B", "C", "D", "E"]);

    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut places);
    let twice: Vec<_> = places.iter().filter(|(_, files)| files.len() > 1).collect();
    assert!(twice.is_empty(), "{twice:#?}");

    let document = server::openapi();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    // `Page_Agent` and the error of a validation are composed from other types.
    let plain = schemas.keys().filter(|name| !name.contains('_') && *name != "Error" && *name != "ValidationError");
    let unseen: BTreeSet<_> = plain.filter(|name| !places.contains_key(*name)).collect();
    assert!(unseen.is_empty(), "this test does not see where these are declared: {unseen:?}");
}

fn collect(folder: &Path, places: &mut BTreeMap<String, Vec<String>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, places);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            for name in schema_names(&fs::read_to_string(&path).unwrap()) {
                places.entry(name).or_default().push(path.display().to_string());
            }
        }
    }
}

/// Schema names declared in a source file.
fn schema_names(source: &str) -> Vec<String> {
    let code: Vec<_> = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    let name =
        |text: &str| text.trim_start().split(|letter: char| !letter.is_alphanumeric()).next().unwrap().to_owned();
    let declared = |after: &str| {
        let keyword = ["struct ", "enum "].map(|keyword| after.find(keyword).map(|at| (at, at + keyword.len())));
        let (at, end) = keyword.into_iter().flatten().min()?;
        let renamed = after[..at].split_once("#[schema(as = ").map(|(_, after)| name(after));
        Some(renamed.unwrap_or_else(|| name(&after[end..])))
    };
    let derived =
        code.split("#[derive(").skip(1).filter(|after| after.split(")]").next().unwrap().contains("ToSchema"));
    let by_macro = code.split("left_out! {").skip(1);
    let words = code.split("words!(").skip(1).map(name);
    let by_hand = code.split("impl ToSchema for ").skip(1).map(name);
    let names = derived.chain(by_macro).filter_map(declared).chain(words).chain(by_hand);
    names.filter(|name| !name.is_empty()).collect()
}
