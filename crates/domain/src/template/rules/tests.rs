use super::*;
use serde_json::json;

fn found(components: &Value, format: &str, stage: Stage) -> Vec<(String, &'static str)> {
    let components = components.as_array().unwrap();
    let shape = Shape { components, format };
    let draft = Draft { name: "visit_reminder", language: "pt_BR", category: "UTILITY", shape };
    problems(&draft, stage).into_iter().map(|problem| (problem.path, problem.code)).collect()
}

fn body(text: &str) -> Value {
    json!([{"type": "BODY", "text": text}])
}

#[test]
fn a_draft_may_lack_examples_and_a_submission_may_not() {
    let unfinished = body("Hi {{1}}, see you at {{2}}.");
    assert_eq!(found(&unfinished, POSITIONAL, Stage::Draft), []);
    let missing = ("/components/0/example/body_text".to_owned(), "missing_example");
    assert_eq!(found(&unfinished, POSITIONAL, Stage::Submission), [missing]);
    for (example, fits) in [
        (json!([["Marta", "17:30"]]), true),
        (json!([["Marta"]]), false),
        (json!(["Marta", "17:30"]), false),
        (json!([["Marta", " "]]), false),
    ] {
        let mut given = unfinished.clone();
        given[0]["example"] = json!({"body_text": example});
        for stage in [Stage::Draft, Stage::Submission] {
            assert_eq!(found(&given, POSITIONAL, stage).is_empty(), fits, "{given} {stage:?}");
        }
    }
}

#[test]
fn examples_of_named_variables_go_by_name() {
    let with = |list: Value| json!([{"type": "BODY", "text": "Hi {{guest}}, at {{hour}}.", "example": {"body_text_named_params": list}}]);
    let both = json!([{"param_name": "hour", "example": "17:30"}, {"param_name": "guest", "example": "Marta"}]);
    assert_eq!(found(&with(both), NAMED, Stage::Submission), []);
    let other = json!([{"param_name": "hour", "example": "17:30"}, {"param_name": "gast", "example": "Marta"}]);
    assert_eq!(found(&with(other), NAMED, Stage::Submission)[0].1, "wrong_example_count");
}

#[test]
fn variables_that_whatsapp_would_refuse_are_named() {
    for text in [
        "{{1}} is here.",
        "See you at {{1}}",
        "Hi {{1}} {{2}} there.",
        "Hi {{2}}, ok.",
        "Hi {{1}}, {{3}} ok.",
        "Hi {{guest}}, ok.",
        "Hi {{1}} and {{1}} again.",
        "Hi {{1, ok.",
        "Hi 1}}, ok.",
    ] {
        let problems = found(&body(text), POSITIONAL, Stage::Draft);
        assert!(problems.iter().any(|(path, _)| path == "/components/0/text"), "{text}: {problems:?}");
    }
    for text in ["Hi {{Guest}}, ok.", "Hi {{1}}, ok.", "Hi {{}}, ok."] {
        assert!(!found(&body(text), NAMED, Stage::Draft).is_empty(), "{text}");
    }
    assert_eq!(found(&body("Hi {{ guest_1 }}, ok."), NAMED, Stage::Draft), []);
}

#[test]
fn limits_accept_the_largest_value_and_report_the_next() {
    let x = |count: usize| "x".repeat(count);
    let with = |component: Value| json!([{"type": "BODY", "text": "Hello"}, component]);
    let header = |text: String| with(json!({"type": "HEADER", "format": "TEXT", "text": text}));
    let footer = |text: String| with(json!({"type": "FOOTER", "text": text}));
    let reply = |text: String| json!({"type": "QUICK_REPLY", "text": text});
    let buttons = |list: Vec<Value>| with(json!({"type": "BUTTONS", "buttons": list}));
    let url = |url: &str| json!({"type": "URL", "text": "Go", "url": url});
    let phone = json!({"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+15550001111"});
    for (fits, over, path) in [
        (body(&x(1_024)), body(&x(1_025)), "/components/0/text"),
        (header(x(60)), header(x(61)), "/components/1/text"),
        (header("Hi {{1}}".into()), header("{{1}} {{2}}".into()), "/components/1/text"),
        (footer(x(60)), footer(x(61)), "/components/1/text"),
        (footer("Bye".into()), footer("Bye {{1}}.".into()), "/components/1/text"),
        (buttons(vec![reply("a".into()); 10]), buttons(vec![reply("a".into()); 11]), "/components/1/buttons"),
        (buttons(vec![reply(x(25))]), buttons(vec![reply(x(26))]), "/components/1/buttons/0/text"),
        (
            buttons(vec![url("https://a.example/{{1}}")]),
            buttons(vec![url("https://a.example/{{1}}/b")]),
            "/components/1/buttons/0/url",
        ),
        (
            buttons(vec![url("https://a.example"); 2]),
            buttons(vec![url("https://a.example"); 3]),
            "/components/1/buttons",
        ),
        (buttons(vec![phone.clone()]), buttons(vec![phone.clone(), phone]), "/components/1/buttons"),
        (
            buttons(vec![json!({"type": "COPY_CODE", "example": x(15)})]),
            buttons(vec![json!({"type": "COPY_CODE", "example": x(16)})]),
            "/components/1/buttons/0/example",
        ),
    ] {
        assert_eq!(found(&fits, POSITIONAL, Stage::Draft), [], "{fits}");
        let problems = found(&over, POSITIONAL, Stage::Draft);
        assert!(problems.iter().any(|(at, _)| at == path), "{over}: {problems:?}");
    }
}

#[test]
fn unknown_components_are_rejected() {
    for (components, path) in [
        (json!([]), "/components"),
        (json!([{"type": "FOOTER", "text": "x"}]), "/components"),
        (json!([{"type": "BODY", "text": "x"}, {"type": "BODY", "text": "y"}]), "/components/1/type"),
        (json!([{"type": "BODY", "text": "x"}, {"type": "SIDEBAR"}]), "/components/1/type"),
        (json!([{"type": "BODY", "text": "x"}, {"type": "HEADER", "format": "HOLOGRAM"}]), "/components/1/format"),
        (
            json!([{"type": "BODY", "text": "x"}, {"type": "BUTTONS", "buttons": [{"type": "LEVER"}]}]),
            "/components/1/buttons/0/type",
        ),
        (json!([{"type": "BODY", "text": " "}]), "/components/0/text"),
    ] {
        let problems = found(&components, POSITIONAL, Stage::Draft);
        assert!(problems.iter().any(|(at, _)| at == path), "{components}: {problems:?}");
    }
    let picture = json!([{"type": "BODY", "text": "x"}, {"type": "HEADER", "format": "IMAGE"}]);
    assert_eq!(found(&picture, POSITIONAL, Stage::Submission)[0].1, "missing_example");
    let shape = Shape { components: &[json!({"type": "BODY", "text": "x"})], format: "BOTH" };
    let draft = Draft { name: "Visit-1", language: "portuguese", category: "NEWS", shape };
    let paths: Vec<String> = problems(&draft, Stage::Draft).into_iter().map(|problem| problem.path).collect();
    assert_eq!(paths, ["/name", "/language_code", "/category", "/parameter_format"]);
}

#[test]
fn whatsapp_writes_the_body_of_an_authentication_template_itself() {
    let components = json!([{"type": "BODY", "add_security_recommendation": true},
        {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]}]);
    let shape = Shape { components: components.as_array().unwrap(), format: POSITIONAL };
    let draft = Draft { name: "code", language: "en", category: "AUTHENTICATION", shape };
    assert_eq!(problems(&draft, Stage::Submission), []);
    assert_eq!(problems(&Draft { category: "UTILITY", ..draft }, Stage::Submission)[0].code, "blank");
}
