//! Both variable syntaxes; filled values are never scanned again.

use domain::agent::{Destination, Sources, fill, fill_arguments, fill_context, fill_value, placeholders};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn context() -> Value {
    json!({
        "contact": {"profile_name": "Ann", "metadata": {"tier": 2, "tags": ["a", "b"]}, "city": null},
        "vars": {"base": "https://x.test/v1", "evil": "{{vars.base}} #{n}"},
        "secrets": {"k": "s3\r\ncret"},
        "now": "2025-06-02T14:05:00Z",
    })
}

fn arguments(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn paths_are_filled_and_unknown_ones_are_empty_and_named() {
    let filled = fill_context(
        "Hello {{contact.profile_name}} {{ contact.x }}{{contact.city}}!",
        &context(),
        Destination::Prompt,
    );
    assert_eq!(
        (filled.text.as_str(), filled.unknown),
        ("Hello Ann !", vec!["contact.x".to_owned(), "contact.city".to_owned()])
    );
}

#[test]
fn values_other_than_text_become_compact_json() {
    let filled = fill_context("{{contact.metadata}} {{contact.metadata.tags.1}}", &context(), Destination::Prompt);
    assert_eq!(filled.text, "{\"tier\":2,\"tags\":[\"a\",\"b\"]} b");
}

#[test]
fn text_without_variables_is_unchanged() {
    for text in [
        "{{}}",
        "{{ a b }}",
        "{a}",
        "{{a",
        "{{\"a\": {\"b\": 1}}}",
        "#{}",
        "#{a b}",
        "#{a",
        "#a",
        "{{a..b}}",
        "# {",
        "{{a}",
    ] {
        let sources = Sources { context: Some(&context()), arguments: Some(&Map::new()) };
        assert_eq!(fill(text, sources, Destination::Prompt).text, text);
    }
    assert_eq!(fill_context("{{{now}}} #{{now}}", &json!({"now": 1}), Destination::Prompt).text, "{1} #1");
}

#[test]
fn values_are_escaped_for_their_place() {
    let args = arguments(json!({"n": "a/b?é&\"\r\n"}));
    let at = |destination| fill_arguments("<#{n}>", &args, destination).text;
    assert_eq!(at(Destination::Prompt), "<a/b?é&\"\r\n>");
    assert_eq!(at(Destination::Url), "<a%2Fb%3F%C3%A9%26%22%0D%0A>");
    assert_eq!(at(Destination::Header), "<a/b?é&\">");
    assert_eq!(at(Destination::JsonString), "<a/b?é&\"\r\n>");
    assert_eq!(at(Destination::JsonText), "<a/b?é&\\\"\\r\\n>");
}

#[test]
fn base_url_is_unescaped_only_in_the_origin() {
    let at = |template| fill_context(template, &context(), Destination::Url).text;
    assert_eq!(at("{{vars.base}}/x/{{vars.base}}"), "https://x.test/v1/x/https%3A%2F%2Fx.test%2Fv1");
    assert_eq!(at("https://h.test/{{secrets.k}}"), "https://h.test/s3%0D%0Acret");
    assert_eq!(at("{{now}}"), "2025-06-02T14%3A05%3A00Z");
    assert_eq!(
        fill_arguments("#{u}/x", &arguments(json!({"u": "http://evil"})), Destination::Url).text,
        "http%3A%2F%2Fevil/x"
    );
}

#[test]
fn every_string_of_a_body_is_filled_keys_too() {
    let args = arguments(json!({"k": "key\"", "v": "{{now}}", "n": 5}));
    let sources = Sources { context: Some(&context()), arguments: Some(&args) };
    let filled = fill_value(
        &json!({"#{k}": ["#{v}", {"x": "#{n} {{contact.profile_name}}"}, 1, null], "y": "#{gone}"}),
        sources,
    );
    assert_eq!(filled.value, json!({"key\"": ["{{now}}", {"x": "5 Ann"}, 1, null], "y": ""}));
    assert_eq!(filled.unknown, ["gone"]);
}

#[test]
fn a_value_cannot_break_out_of_a_body_given_as_text() {
    let args = arguments(json!({"q": "x\", \"admin\": \"yes"}));
    let sources = Sources { context: None, arguments: Some(&args) };
    let filled = fill_value(&json!(" {\"q\": \"#{q}\", \"n\": }"), sources);
    assert_eq!(filled.value, json!(" {\"q\": \"x\\\", \\\"admin\\\": \\\"yes\", \"n\": }"));
}

#[test]
fn a_syntax_without_source_is_left_for_later() {
    assert_eq!(fill_context("{{now}} #{n}", &json!({"now": "t"}), Destination::Prompt).text, "t #{n}");
    assert_eq!(fill_arguments("{{now}} #{n}", &arguments(json!({"n": "1"})), Destination::Prompt).text, "{{now}} 1");
}

#[test]
fn placeholders_are_named_once_in_order() {
    assert_eq!(placeholders("#{b} #{a} #{b} #{c-d} {{e}}"), ["b", "a"]);
}

#[test]
fn unfinished_variables_are_scanned_in_linear_time() {
    for half in ["#{", "{{", "#{a", "{{a ", "{{{"] {
        let text = half.repeat(300_000);
        assert_eq!(fill_context(&text, &context(), Destination::Prompt).text.len(), text.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn filled_values_are_not_scanned_again(value in "([a-z]|#\\{n\\}|\\{\\{vars\\.evil\\}\\}|\\{|\\}|#){0,12}", around in "[{}# |]{0,6}") {
        let args = arguments(json!({"n": value}));
        let context = json!({"vars": {"evil": value}});
        let sources = Sources { context: Some(&context), arguments: Some(&args) };
        let filled = fill(&format!("|#{{n}}|{around}|{{{{vars.evil}}}}|"), sources, Destination::Prompt);
        prop_assert_eq!(filled.text, format!("|{value}|{around}|{value}|"));
        prop_assert_eq!(filled.unknown, Vec::<String>::new());
    }

    #[test]
    fn nothing_makes_filling_panic(text in "(\\PC|#\\{|\\{\\{|\\}){0,40}") {
        let sources = Sources { context: Some(&Value::Null), arguments: None };
        for destination in [Destination::Prompt, Destination::Url, Destination::JsonString, Destination::JsonText, Destination::Header] {
            fill(&text, sources, destination);
        }
    }
}
