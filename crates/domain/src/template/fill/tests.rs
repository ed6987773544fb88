use super::{
    super::{LocationHeader, NAMED, POSITIONAL},
    *,
};
use std::collections::BTreeMap;

fn list(values: &[&str]) -> Filling {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    Filling { parameters: Parameters::List(values), ..Filling::default() }
}

fn map(values: &[(&str, &str)]) -> BTreeMap<String, String> {
    values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn try_fill(components: &Value, format: &str, filling: &Filling) -> Result<Filled, Vec<(String, &'static str)>> {
    let shape = Shape { components: components.as_array().unwrap(), format };
    fill(shape, filling).map_err(|problems| problems.into_iter().map(|p| (p.path, p.code)).collect())
}

fn refusal(components: &Value, format: &str, filling: &Filling) -> (String, &'static str) {
    try_fill(components, format, filling).unwrap_err().remove(0)
}

fn visit() -> Value {
    json!([{"type": "BODY", "text": "Hi {{1}}, see you at {{ 2 }}."}])
}

#[test]
fn a_list_fills_numbers_and_an_object_names() {
    let filled = try_fill(&visit(), POSITIONAL, &list(&["Marta", "17:30"])).unwrap();
    assert_eq!(filled.text, "Hi Marta, see you at 17:30.");
    assert_eq!(
        filled.components,
        [json!({"type": "body", "parameters": [{"type": "text", "text": "Marta"}, {"type": "text", "text": "17:30"}]})]
    );
    let named = json!([{"type": "BODY", "text": "At {{hour}}, {{guest}}."}]);
    let both =
        Filling { parameters: Parameters::Named(map(&[("guest", "Marta"), ("hour", "17:30")])), ..Filling::default() };
    let filled = try_fill(&named, NAMED, &both).unwrap();
    assert_eq!(filled.text, "At 17:30, Marta.");
    assert_eq!(
        filled.components[0]["parameters"][0],
        json!({"type": "text", "parameter_name": "hour", "text": "17:30"})
    );
    // Agents give numbers as names.
    let numbers =
        Filling { parameters: Parameters::Named(map(&[("2", "17:30"), ("1", "Marta")])), ..Filling::default() };
    assert_eq!(try_fill(&visit(), POSITIONAL, &numbers).unwrap().text, "Hi Marta, see you at 17:30.");
}

#[test]
fn a_value_that_looks_like_a_variable_stays_a_value() {
    let filled = try_fill(&visit(), POSITIONAL, &list(&["{{2}}", "x"])).unwrap();
    assert_eq!(filled.components[0]["parameters"][0]["text"], "{{2}}");
    assert_eq!(filled.text, "Hi {{2}}, see you at x.");
}

#[test]
fn parameters_are_ordered_by_number() {
    let turned = json!([{"type": "BODY", "text": "At {{2}}, {{1}}, ok."}]);
    let filled = try_fill(&turned, POSITIONAL, &list(&["Marta", "17:30"])).unwrap();
    assert_eq!(filled.text, "At 17:30, Marta, ok.");
    assert_eq!(filled.components[0]["parameters"][0]["text"], "Marta");
}

#[test]
fn parameters_that_do_not_fit_are_named() {
    let shape = Shape { components: &[json!({"type": "BODY", "text": "Hi {{1}}, at {{2}}."})], format: POSITIONAL };
    let problems = fill(shape, &list(&["x"])).unwrap_err();
    assert_eq!(problems[0].message, "Template requires 2 parameters, but 1 were provided");
    for (value, code) in [
        ("", "invalid_parameter"),
        ("a\nb", "invalid_parameter"),
        ("a\tb", "invalid_parameter"),
        ("a     b", "invalid_parameter"),
    ] {
        let refused = refusal(&visit(), POSITIONAL, &list(&["x", value]));
        assert_eq!(refused, ("/template_parameters/1".to_owned(), code), "{value:?}");
    }
    assert!(try_fill(&visit(), POSITIONAL, &list(&["x", "a    b"])).is_ok());
    let long = "x".repeat(1_010);
    assert_eq!(refusal(&visit(), POSITIONAL, &list(&[&long, "17"])).1, "too_long");
    let named = json!([{"type": "BODY", "text": "Hi {{guest}}, ok."}]);
    assert_eq!(refusal(&named, NAMED, &list(&["Marta"])).1, "wrong_parameters");
    let other = Filling { parameters: Parameters::Named(map(&[("gast", "Marta")])), ..Filling::default() };
    assert_eq!(refusal(&named, NAMED, &other), ("/template_parameters/guest".to_owned(), "missing_parameter"));
}

fn with_header(header: Value) -> Value {
    json!([header, {"type": "BODY", "text": "Hello"}])
}

fn value(text: &str) -> Filling {
    Filling { header: Some(Header::Value(text.into())), ..Filling::default() }
}

#[test]
fn header_accepts_only_its_own_kind() {
    let greeting = with_header(json!({"type": "HEADER", "format": "TEXT", "text": "For {{1}}"}));
    let filled = try_fill(&greeting, POSITIONAL, &value("Marta")).unwrap();
    assert_eq!(filled.components, [json!({"type": "header", "parameters": [{"type": "text", "text": "Marta"}]})]);
    assert_eq!(refusal(&greeting, POSITIONAL, &Filling::default()).1, "missing_parameter");
    let named = with_header(json!({"type": "HEADER", "format": "TEXT", "text": "For {{guest}}"}));
    let by_name = Filling { header: Some(Header::Named(map(&[("guest", "Marta")]))), ..Filling::default() };
    let filled = try_fill(&named, NAMED, &by_name).unwrap();
    assert_eq!(filled.components[0]["parameters"][0]["parameter_name"], "guest");
    let fixed = with_header(json!({"type": "HEADER", "format": "TEXT", "text": "Hello"}));
    assert!(try_fill(&fixed, POSITIONAL, &Filling::default()).unwrap().components.is_empty());
    assert_eq!(refusal(&fixed, POSITIONAL, &value("x")).1, "wrong_header");
    assert_eq!(refusal(&visit_without_variables(), POSITIONAL, &value("x")).1, "wrong_header");
}

fn visit_without_variables() -> Value {
    json!([{"type": "BODY", "text": "Hello"}])
}

#[test]
fn a_file_and_a_place_are_headers_of_their_own() {
    let plan = with_header(json!({"type": "HEADER", "format": "DOCUMENT"}));
    let mut link = value("https://files.example/a.pdf");
    link.header_type = Some("document".into());
    link.header_filename = Some("plan.pdf".into());
    let filled = try_fill(&plan, POSITIONAL, &link).unwrap();
    let document = json!({"link": "https://files.example/a.pdf", "filename": "plan.pdf"});
    assert_eq!(filled.components[0]["parameters"], json!([{"type": "document", "document": document}]));
    link.header_type = Some("image".into());
    assert_eq!(refusal(&plan, POSITIONAL, &link), ("/header_type".to_owned(), "wrong_header"));
    assert_eq!(refusal(&plan, POSITIONAL, &value("plan.pdf")).1, "missing_parameter");
    let place = with_header(json!({"type": "HEADER", "format": "LOCATION"}));
    let at = |latitude| LocationHeader {
        latitude: Some(latitude),
        longitude: Some(-46.6),
        name: Some("Clinic".into()),
        address: None,
    };
    let here = |latitude| Filling { location: Some(at(latitude)), ..Filling::default() };
    let filled = try_fill(&place, POSITIONAL, &here(-23.5)).unwrap();
    assert_eq!(filled.components[0]["parameters"][0]["location"]["name"], "Clinic");
    assert_eq!(refusal(&place, POSITIONAL, &here(91.0)).0, "/location_params/latitude");
    assert_eq!(refusal(&place, POSITIONAL, &Filling::default()).0, "/location_params");
    assert_eq!(refusal(&visit_without_variables(), POSITIONAL, &here(1.0)).1, "wrong_header");
}

#[test]
fn buttons_are_filled_by_their_position() {
    let offer = json!([{"type": "BODY", "text": "Hello"}, {"type": "BUTTONS", "buttons": [
        {"type": "QUICK_REPLY", "text": "Stop"}, {"type": "URL", "text": "See", "url": "https://a.example/{{1}}"},
        {"type": "COPY_CODE", "example": "X"}, {"type": "URL", "text": "Home", "url": "https://a.example"}]}]);
    let filling = Filling {
        button_urls: map(&[("1", "promo")]),
        button_payloads: map(&[("0", "stop-1")]),
        button_codes: map(&[("2", "SAVE20")]),
        ..Filling::default()
    };
    let filled = try_fill(&offer, POSITIONAL, &filling).unwrap().components;
    let of = |kind: &str, index: &str, parameter: Value| json!({"type": "button", "sub_type": kind, "index": index, "parameters": [parameter]});
    assert_eq!(
        filled,
        [
            of("quick_reply", "0", json!({"type": "payload", "payload": "stop-1"})),
            of("url", "1", json!({"type": "text", "text": "promo"})),
            of("copy_code", "2", json!({"type": "coupon_code", "coupon_code": "SAVE20"})),
        ]
    );
    let missing = try_fill(&offer, POSITIONAL, &Filling::default()).unwrap_err();
    assert_eq!(
        missing.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(),
        ["/button_url_params/1", "/button_copy_code_params/2"]
    );
    let odd = Filling { button_urls: map(&[("1", "x"), ("3", "y"), ("z", "y")]), ..filling };
    let odd: Vec<_> = try_fill(&offer, POSITIONAL, &odd).unwrap_err().into_iter().map(|(path, _)| path).collect();
    assert_eq!(odd, ["/button_url_params/3", "/button_url_params/z"]);
}

#[test]
fn one_time_password_fills_body_and_button() {
    let code = json!([{"type": "BODY", "text": "*{{1}}* is your code."}, {"type": "BUTTONS", "buttons": [
        {"type": "URL", "text": "Copy", "url": "https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}"}]}]);
    let filled = try_fill(&code, POSITIONAL, &list(&["1234"])).unwrap();
    assert_eq!(filled.components[1]["parameters"][0]["text"], "1234");
}

fn with_buttons(buttons: Value) -> Value {
    json!([{"type": "BODY", "text": "Hi {{1}}."}, {"type": "BUTTONS", "buttons": buttons}])
}

/// Each kind that Meta documents is filled, needs no component, or is refused with a reason.
#[test]
fn no_button_that_needs_a_component_is_sent_without_one() {
    let link = json!({"type": "URL", "text": "Open", "url": "https://a.example/{{1}}"});
    let component = |sub_type: &str, parameters: Value| {
        let mut component = json!({"type": "button", "sub_type": sub_type, "index": "0"});
        if !parameters.is_null() {
            component["parameters"] = parameters;
        }
        Some(component)
    };
    for (button, expected) in [
        (json!({"type": "QUICK_REPLY", "text": "Yes"}), Ok(None)),
        (json!({"type": "URL", "text": "Open", "url": "https://a.example"}), Ok(None)),
        (json!({"type": "PHONE_NUMBER", "text": "Call", "phone_number": "15550001111"}), Ok(None)),
        (json!({"type": "VOICE_CALL", "text": "Call"}), Ok(None)),
        (
            json!({"type": "FLOW", "text": "Book", "flow_id": "7"}),
            Ok(component("flow", json!([{"type": "action", "action": {"flow_token": "unused"}}]))),
        ),
        (json!({"type": "CATALOG", "text": "View catalogue"}), Ok(component("catalog", Value::Null))),
        (
            json!({"type": "OTP", "otp_type": "COPY_CODE"}),
            Ok(component("url", json!([{"type": "text", "text": "Ana"}]))),
        ),
        (link, Err("missing_parameter")),
        (json!({"type": "COPY_CODE", "example": "X"}), Err("missing_parameter")),
        (json!({"type": "MPM", "text": "View items"}), Err("unsupported_template")),
        (json!({"type": "HOLOGRAM", "text": "?"}), Err("unsupported_template")),
    ] {
        let components = with_buttons(json!([button]));
        let filled = try_fill(&components, POSITIONAL, &list(&["Ana"]));
        let shape = Shape { components: components.as_array().unwrap(), format: POSITIONAL };
        let body = json!({"type": "body", "parameters": [{"type": "text", "text": "Ana"}]});
        let completed = complete(shape, &[body]);
        match expected {
            Ok(expected) => {
                assert_eq!(filled.as_ref().unwrap().components.get(1), expected.as_ref(), "{button}");
                assert_eq!(completed.unwrap(), filled.unwrap(), "{button}");
            }
            Err(code) => {
                assert_eq!(filled.unwrap_err()[0].1, code, "{button}");
                assert_eq!(completed.unwrap_err()[0].code, code, "{button}");
            }
        }
    }
    for kind in ["CAROUSEL", "limited_time_offer"] {
        let components = json!([{"type": "BODY", "text": "Hi {{1}}."}, {"type": kind}]);
        assert_eq!(refusal(&components, POSITIONAL, &list(&["Ana"])), ("/template".into(), "unsupported_template"));
    }
}

#[test]
fn body_that_whatsapp_writes_itself_takes_the_code() {
    let components = json!([{"type": "BODY", "add_security_recommendation": true},
        {"type": "FOOTER", "code_expiration_minutes": 5},
        {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy"}]}]);
    let filled = try_fill(&components, POSITIONAL, &list(&["4711"])).unwrap();
    let code = json!([{"type": "text", "text": "4711"}]);
    assert_eq!(filled.components[0], json!({"type": "body", "parameters": code}));
    assert_eq!(filled.components[1], json!({"type": "button", "sub_type": "url", "index": "0", "parameters": code}));
    assert_eq!(refusal(&components, POSITIONAL, &list(&[])).1, "wrong_parameter_count");
}

#[test]
fn components_of_the_caller_are_compared_with_the_template() {
    let components = json!([{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Hi {{name}}."}]);
    let shape = Shape { components: components.as_array().unwrap(), format: NAMED };
    let header = json!({"type": "header", "parameters": [{"type": "image", "image": {"id": "1"}}]});
    let body = json!({"type": "body", "parameters": [{"type": "text", "parameter_name": "name", "text": "Ana"}]});
    let whole = [header.clone(), body.clone()];
    let filled = complete(shape, &whole).unwrap();
    assert_eq!((filled.text.as_str(), filled.components.as_slice()), ("Hi Ana.", &whole[..]));
    let video = json!({"type": "header", "parameters": [{"type": "video", "video": {"id": "1"}}]});
    let other = json!({"type": "body", "parameters": [{"type": "text", "parameter_name": "nome", "text": "Ana"}]});
    for (sent, path, code) in [
        (vec![body.clone()], "/header_params", "missing_parameter"),
        (vec![video, body], "/header_type", "wrong_header"),
        (vec![header.clone()], "/template_parameters", "wrong_parameter_count"),
        (vec![header, other], "/template_parameters/name", "missing_parameter"),
    ] {
        let problem = complete(shape, &sent).unwrap_err().remove(0);
        assert_eq!((problem.path.as_str(), problem.code), (path, code), "{sent:?}");
    }
}
