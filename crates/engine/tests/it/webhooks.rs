//! Webhook tools: S17, S22, S23 and the fixed host of docs/spec/engine.md 4.1.

use crate::{
    graphs::{agent, content, graph_webhook},
    play::{Play, call, calls, facts, go, note, text},
};
use domain::{
    execution::ExecutionStatus::{Ended, Paused},
    tool_request::ToolAnswer,
};
use engine::{AgentContent, Compiled, Input, Pending};
use serde_json::{Value, json};

fn answered(content: Value) -> ToolAnswer {
    ToolAnswer::Answered { status: 200, content, truncated: false }
}

fn asks(webhook: Value, arguments: Value, answer: ToolAnswer) -> Play {
    let mut play = Play::new(graph_webhook(&webhook));
    play.tool_answers = vec![answer];
    play.say("x", [calls([call("w_request", arguments)]), text("?")]);
    play.is(Paused, "w");
    play
}

#[test]
fn s17_webhook_is_escaped_its_result_selected_and_headers_hidden() {
    let webhook = json!({"url": "https://shop.example/orders/#{id}", "jmespath_query": "name",
        "headers": {"Authorization": "Bearer s3cret", "X-Key": "{{secrets.k}}"}});
    let mut play = Play::new(graph_webhook(&webhook));
    play.tool_answers = vec![answered(json!({"name": "Ann", "card": "4111"}))];
    play.say("x", [calls([call("w_request", json!({"id": "a/b"}))]), calls([note("Ann"), go("__end__")])]);
    play.is(Ended, "w");
    let [request] = play.web_requests()[..] else { panic!("one request") };
    assert_eq!((request.method.as_str(), request.url.as_str()), ("GET", "https://shop.example/orders/a%2Fb"));
    assert_eq!(request.headers[0], ("Authorization".into(), "Bearer s3cret".into()));
    assert_eq!(request.body, None);
    assert_eq!(request.idempotency_key.len(), 32);
    assert_eq!(play.results()[0], json!("Ann"));
    let shown = format!("{:?} {:?}", play.requests, play.events);
    for hidden in ["s3cret", "Authorization", "X-Key", "4111"] {
        assert!(!shown.contains(hidden), "{hidden} is shown");
    }
    assert!(
        format!("{:?}", play.requests[0].messages)
            .contains("w_request: Makes an HTTP request (GET https://shop.example/orders/#{id})")
    );
}

#[test]
fn s22_arguments_are_coerced_and_invalid_ones_make_no_request() {
    let schema =
        json!({"type": "object", "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}, "required": ["n"]});
    let webhook = json!({"url": "https://shop.example/x", "http_method": "POST", "body_schema": schema});
    let mut play = Play::new(graph_webhook(&webhook));
    play.tool_answers = vec![answered(json!({})), answered(json!({}))];
    let wrong = [json!({"n": "five"}), json!({}), json!({"n": 5, "other": 1}), json!("{\"n\": 5"), json!([5])];
    let right = [json!({"n": "5"}), json!("{\"n\": 5, \"s\": 7}")];
    let script = wrong.iter().chain(&right).map(|arguments| calls([call("w_request", arguments.clone())]));
    play.say("x", script.chain([text("?")]));
    let bodies: Vec<&Value> = play.web_requests().iter().filter_map(|request| request.body.as_ref()).collect();
    assert_eq!(bodies, [&json!({"n": 5}), &json!({"n": 5, "s": "7"})]);
    let refused = play.results().iter().filter(|result| result["code"] == "invalid_arguments").count();
    assert_eq!(refused, wrong.len());
    assert_eq!(play.results()[0]["details"][0]["path"], "/n");
}

#[test]
fn problems_quote_at_most_a_few_characters() {
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}});
    let webhook = json!({"url": "https://shop.example/x", "body_schema": schema});
    let mut play = Play::new(graph_webhook(&webhook));
    play.say("x", [calls([call("w_request", json!({"n": "x".repeat(100_000)}))]), text("?")]);
    assert!(play.results()[0].to_string().len() < 1_000);
}

#[test]
fn a_schema_keeps_its_definitions() {
    let schema = json!({"$schema": "http://json-schema.org/draft-07/schema#", "type": "object",
        "properties": {"to": {"$ref": "#/definitions/address"}}, "required": ["to"],
        "definitions": {"address": {"type": "object", "required": ["city"]}}});
    let webhook = json!({"url": "https://shop.example/#{id}", "http_method": "PUT", "body_schema": schema});
    let play = asks(webhook.clone(), json!({"id": "1", "to": {"city": "Lima"}}), answered(json!({})));
    assert_eq!(play.web_requests()[0].body, Some(json!({"to": {"city": "Lima"}})));
    let mut play = Play::new(graph_webhook(&webhook));
    play.say("x", [calls([call("w_request", json!({"id": "1", "to": {}}))]), text("?")]);
    assert_eq!(play.results()[0]["code"], "invalid_arguments");
}

#[test]
fn s23_mock_response_makes_no_request() {
    let webhook = json!({"url": "https://shop.example/x", "mock_response_enabled": true, "mock_response": "{\"a\": 1}", "jmespath_query": "a"});
    let mut play = Play::new(graph_webhook(&webhook));
    play.say("x", [calls([call("w_request", json!({}))]), text("?")]);
    assert_eq!(play.results()[0], json!(1));
    assert_eq!(play.web_requests(), Vec::<&domain::tool_request::ToolRequest>::new());
}

#[test]
fn query_without_match_in_the_content_is_applied_to_the_answer() {
    for (query, content, result) in [
        ("status_code", json!({"a": 1}), json!(200)),
        ("b", json!({"a": 1}), Value::Null),
        ("a.b[0]", json!({"a": {"b": [7]}}), json!(7)),
        ("abs(a)", json!({"a": "text"}), json!({"status_code": 200, "content": {"a": "text"}})),
        ("avg(a)", json!({"a": []}), json!({"status_code": 200, "content": {"a": []}})),
    ] {
        let play =
            asks(json!({"url": "https://shop.example/x", "jmespath_query": query}), json!({}), answered(content));
        assert_eq!(play.results()[0], result, "{query}");
    }
}

/// 181 bytes, for a result of 2^30 texts.
fn doubling_query() -> String {
    format!("{}@", "[@,@]|".repeat(30))
}

#[test]
fn query_beyond_its_budget_gives_result_too_large() {
    let result = json!({"error": "result too large", "code": "result_too_large"});
    let webhook = json!({"url": "https://shop.example/x", "jmespath_query": doubling_query()});
    let play = asks(webhook, json!({}), answered(json!({"a": 1})));
    assert_eq!(play.results()[0], result);
    assert_eq!(play.last("warning")["code"], "result_too_large");
    assert_eq!(play.last("tool.result")["ok"], false);
    let mocked = json!({"url": "https://shop.example/x", "jmespath_query": doubling_query(),
        "mock_response_enabled": true, "mock_response": {"a": 1}});
    let mut play = Play::new(graph_webhook(&mocked));
    play.say("x", [calls([call("w_request", json!({})), call("w_request", json!({}))]), text("?")]);
    assert_eq!(play.results()[..2], [result.clone(), result]);
    assert_eq!(play.last("warning")["code"], "result_too_large");
}

#[test]
fn journaled_result_is_used_without_evaluating_the_query() {
    let mut play = Play::new(graph_webhook(&json!({"url": "https://shop.example/x", "jmespath_query": "a"})));
    play.hears("x");
    let input = play.model_input(calls([call("w_request", json!({}))]));
    play.feed(&[input]);
    let Some(Pending::Tool { effect, .. }) = play.state.phase.pending().cloned() else {
        panic!("a request is pending")
    };
    let warning = Some(json!({"code": "jmespath", "message": "from an earlier version"}));
    play.open.clear();
    play.feed(&[Input::ToolResult { effect, result: json!("as it was"), warning: warning.clone(), failed: false }]);
    assert_eq!(play.results()[0], json!("as it was"));
    assert_eq!(Some(play.last("warning").clone()), warning);
}

#[test]
fn arguments_of_a_schema_stored_before_the_limits_are_not_checked() {
    let mut play = Play::new(graph_webhook(&json!({"url": "https://shop.example/x", "http_method": "POST"})));
    let content = |schema: &Value| {
        let webhook = json!({"url": "https://shop.example/x", "http_method": "POST", "body_schema": schema});
        let mut graph = content(
            None,
            &[json!({"name": "w", "type": "WebhookNode", "webhook": {"url": "https://shop.example/x"}})],
            &[("__start__", "w", ""), ("w", "__end__", "done")],
        );
        let nodes = graph.graph["nodes"].as_array_mut().unwrap();
        let node = nodes.iter_mut().find(|node| node["name"] == "w").unwrap();
        node["webhook"] = webhook;
        graph
    };
    let far = json!({"type": "object", "properties": {"n": {"$ref": "https://elsewhere.example/n.json"}}});
    play.agent = Compiled::new(&content(&far)).unwrap().into();
    play.tool_answers = vec![answered(json!({}))];
    play.say("x", [calls([call("w_request", json!({"n": "five"}))]), text("?")]);
    assert_eq!(play.web_requests()[0].body, Some(json!({"n": "five"})));
    assert_eq!(play.last("warning")["code"], "unchecked_arguments");
}

#[test]
fn every_http_status_and_failure_becomes_a_result() {
    let webhook = json!({"url": "https://shop.example/x"});
    let answer = ToolAnswer::Answered { status: 503, content: json!({"text": "down"}), truncated: true };
    let play = asks(webhook.clone(), json!({}), answer);
    assert_eq!(play.results()[0], json!({"status_code": 503, "content": {"text": "down"}, "truncated": true}));
    let play = asks(
        webhook.clone(),
        json!({}),
        ToolAnswer::Failed { code: "read_timeout".into(), message: "no answer".into() },
    );
    assert_eq!(play.results()[0], json!({"error": "no answer", "code": "read_timeout"}));
    let play = asks(webhook, json!({}), answered(json!("é".repeat(100_000))));
    let shown = &play.results()[0];
    assert_eq!(shown["truncated"], true);
    assert!(shown["text"].as_str().unwrap().len() <= 32 * 1024);
}

#[test]
fn url_origin_never_comes_from_the_conversation() {
    let mut known = facts();
    known.profile_name = Some("evil.example".into());
    known.vars = json!({"base": "https://api.example/v1", "host": "api.example"}).as_object().cloned().unwrap();
    for (url, goes_out) in [
        ("https://#{host}/x", false),
        ("https://api.example#{path}", false),
        ("https://#{user}@api.example/x", false),
        ("https://{{contact.profile_name}}/x", false),
        ("https://{{last_user_input}}.example/x", false),
        ("{{vars.base}}.#{x}/y", true),
        ("{{vars.base}}/#{x}", true),
        ("https://{{vars.host}}:8443/#{x}?y=#{y}", true),
        ("https://{{vars.host}}#{x}/", false),
        ("https://api.example/{{contact.profile_name}}/#{x}", true),
        ("https://api.example?x=#{x}", true),
    ] {
        let mut play = Play::with(graph_webhook(&json!({"url": url})), known.clone());
        play.tool_answers = vec![answered(json!({}))];
        let arguments = |names: &str| {
            names
                .split(' ')
                .filter(|name| url.contains(&format!("#{{{name}}}")))
                .map(|name| (name.to_owned(), json!("1")))
                .collect()
        };
        let arguments = Value::Object(arguments("host path user x y"));
        play.say("x", [calls([call("w_request", arguments)]), text("?")]);
        assert_eq!(play.web_requests().len(), usize::from(goes_out), "{url}: {:?}", play.results());
        if !goes_out {
            assert_eq!(play.results()[0]["code"], "blocked_address", "{url}");
        }
    }
}

#[test]
fn value_cannot_make_the_url_address_another_resource() {
    let mut known = facts();
    known.vars = json!({"base": "https://api.example/v1/", "empty": "", "up": ".."}).as_object().cloned().unwrap();
    for (url, value, goes_out) in [
        ("https://api.example/orders/#{x}", "", false),
        ("https://api.example/orders/#{x}", ".", false),
        ("https://api.example/orders/#{x}", "..", false),
        ("https://api.example/#{x}/lines?q=1", "..", false),
        ("https://api.example/.#{x}/lines", ".", false),
        ("https://api.example/{{vars.empty}}/#{x}", "1", false),
        ("https://api.example/{{vars.up}}/#{x}", "1", false),
        ("https://api.example/{{vars.unknown}}", "1", false),
        ("{{vars.base}}orders/#{x}", "", false),
        ("https://api.example/orders/#{x}", "%2e%2e", true),
        ("https://api.example/orders/#{x}", "a/../b", true),
        ("https://api.example/orders/n-#{x}", "", true),
        ("https://api.example/orders/?id=#{x}", "", true),
        ("https://api.example/orders//#{x}/", "1", true),
        ("https://api.example/{{secrets.tenant}}/#{x}", "1", true),
        ("{{vars.base}}orders/#{x}", "1", true),
    ] {
        let mut play = Play::with(graph_webhook(&json!({"url": url})), known.clone());
        play.tool_answers = vec![answered(json!({}))];
        let arguments = if url.contains("#{x}") { json!({"x": value}) } else { json!({}) };
        play.say("x", [calls([call("w_request", arguments)]), text("?")]);
        assert_eq!(play.web_requests().len(), usize::from(goes_out), "{url} {value}: {:?}", play.results());
        if !goes_out {
            assert_eq!(play.results()[0]["code"], "bad_url_value", "{url}");
        }
    }
}

#[test]
fn variables_in_model_arguments_are_not_filled() {
    let mut known = facts();
    known.vars = json!({"k": "hidden"}).as_object().cloned().unwrap();
    let webhook =
        json!({"url": "https://shop.example/x", "http_method": "POST", "body": {"q": "#{q}", "{{vars.k}}": 1}});
    let mut play = Play::with(graph_webhook(&webhook), known);
    play.tool_answers = vec![answered(json!({}))];
    play.say("x", [calls([call("w_request", json!({"q": "{{vars.k}} #{q}"}))]), text("?")]);
    assert_eq!(play.web_requests()[0].body, Some(json!({"q": "{{vars.k}} #{q}", "hidden": 1})));
}

#[test]
fn the_tools_of_a_subagent_are_offered_in_the_order_written() {
    let tool =
        |name: &str| json!({"name": name, "url": "https://shop.example/x", "description": format!("Does {name}.")});
    let nodes = [
        json!({"name": "s", "type": "SubagentNode", "subagent": {"webhooks": [tool("Zeta"), tool("alpha"), tool("mid")]}}),
    ];
    let mut play = Play::new(agent(&nodes, &[("__start__", "s", ""), ("s", "__end__", "")]));
    play.tool_answers = vec![answered(json!({"a": 1}))];
    play.say("x", [calls([call("zeta_request", json!({}))]), text("?")]);
    let names: Vec<&str> = play.requests[0].tools[5..].iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["zeta_request", "alpha_request", "mid_request"]);
    assert_eq!(play.web_requests()[0].method, "POST");
}

#[test]
fn mock_only_test_run_makes_no_webhook_request() {
    use crate::play::{call, calls, facts, text};
    use engine::Facts;
    let graph = |webhook: Value| {
        crate::graphs::content(
            None,
            &[json!({"name": "w", "type": "WebhookNode", "webhook": webhook})],
            &[("__start__", "w", ""), ("w", "__end__", "done")],
        )
    };
    let asked = |webhook: Value, mock_only_in_tests: bool, test_mode: bool| {
        let agent = Compiled::new(&AgentContent { mock_only_in_tests, ..graph(webhook) }).unwrap();
        let mut play = Play::with(agent, Facts { test_mode, ..facts() });
        play.tool_answers = vec![answered(json!({"ok": 1}))];
        play.say("x", [calls([call("w_request", json!({}))]), text("?")]);
        (play.web_requests().len(), play.results()[0].clone())
    };
    let (plain, mocked) = (
        json!({"url": "https://shop.example/x"}),
        json!({"url": "https://shop.example/x", "mock_response_enabled": true, "mock_response": {"a": 1}}),
    );
    assert_eq!(asked(plain.clone(), true, true).1["code"], "webhook_not_mocked");
    assert_eq!(asked(plain.clone(), true, true).0, 0);
    assert_eq!(asked(mocked, true, true), (0, json!({"status_code": 200, "content": {"a": 1}})));
    assert_eq!((asked(plain.clone(), false, true).0, asked(plain, true, false).0), (1, 1));
}
