//! Properties of every answer, for requests of any shape.

use domain::chat::{ChatMessage, ModelRequest, ToolCall, ToolSpec};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::answer;

fn words() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("hola"),
        Just("where is my order"),
        Just("1042"),
        Just("12/05"),
        Just("a las 10"),
        Just("human"),
        Just("no"),
        Just("não"),
        Just("bye"),
        Just("me llamo"),
        Just("# Step: x\n"),
        Just("## Next steps\n- a: order\n"),
        Just("## Knowledge\n"),
        Just("[system data]"),
        Just("\""),
        Just("{\"status_code\":200,\"content\":"),
        Just("}"),
        Just("12 de mayo"),
        Just("🙂"),
        Just("\n"),
        Just(": "),
        Just("«"),
        Just("a@b.co"),
        Just("+54 11 5555"),
    ]
    .prop_map(str::to_owned);
    vec(prop_oneof![piece, any::<String>()], 0..6).prop_map(|parts| parts.join(" "))
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words().prop_map(Value::from),
        Just(json!("2026-11-25T10:30")),
    ];
    let key = prop_oneof![
        Just("status"),
        Just("status_code"),
        Just("content"),
        Just("error"),
        Just("eta"),
        Just("order_number"),
        Just("items"),
        Just("next_node"),
        Just("message"),
        Just("properties"),
        Just("required"),
        Just("type"),
        Just("enum"),
        Just("x"),
    ];
    leaf.prop_recursive(3, 24, 5, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((key.clone(), inner), 0..5).prop_map(|pairs| Value::Object(
                pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            )),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("MoveToNextNode".to_owned()),
        Just("orders_request".to_owned()),
        Just("WaitForUser".to_owned()),
        Just("AskUserForInput".to_owned()),
        Just("handle_user_message".to_owned()),
        Just("kb_retrieval".to_owned()),
        words(),
    ]
}

fn message() -> impl Strategy<Value = ChatMessage> {
    let id = prop_oneof![Just(String::new()), Just("a".to_owned()), Just("b".to_owned())];
    let call = (id.clone(), name(), value()).prop_map(|(id, name, arguments)| ToolCall { id, name, arguments });
    let result = prop_oneof![words(), value().prop_map(|value| value.to_string())];
    prop_oneof![
        words().prop_map(ChatMessage::user),
        (proptest::option::of(words()), vec(call, 0..3))
            .prop_map(|(content, tool_calls)| ChatMessage::assistant(content, tool_calls)),
        (id, result).prop_map(|(call_id, content)| ChatMessage::Tool { call_id, content }),
    ]
}

fn schema() -> impl Strategy<Value = Value> {
    let argument =
        prop_oneof![Just("order_number"), Just("fecha"), Just("nome"), Just("n"), Just("query"), Just("next_node")];
    let kind =
        prop_oneof![Just("string"), Just("integer"), Just("number"), Just("boolean"), Just("array"), Just("object")];
    let typed = vec((argument, kind), 0..4).prop_map(|pairs| {
        let required: Vec<&str> = pairs.iter().map(|(name, _)| *name).collect();
        let properties: serde_json::Map<String, Value> =
            pairs.iter().map(|(name, kind)| ((*name).to_owned(), json!({"type": kind}))).collect();
        json!({"type": "object", "properties": properties, "required": required})
    });
    prop_oneof![typed, value()]
}

prop_compose! {
    fn request()(
        system in words(),
        messages in vec(message(), 0..12),
        tools in vec((name(), words(), schema()), 0..4),
    ) -> ModelRequest {
        let tools = tools
            .into_iter()
            .map(|(name, description, parameters)| ToolSpec { name, description, parameters })
            .collect();
        ModelRequest { system, messages, tools, ..ModelRequest::default() }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn same_request_gets_same_answer_from_offered_tools(request in request()) {
        let response = answer(&request);
        prop_assert_eq!(&response, &answer(&request));
        let text = response.text.as_deref().unwrap_or_default();
        prop_assert!(response.tool_calls.len() == usize::from(text.trim().is_empty()), "{:?}", response);
        for call in &response.tool_calls {
            prop_assert!(request.tools.iter().any(|tool| tool.name == call.name), "{} is not offered", call.name);
            prop_assert!(call.arguments.is_object());
        }
        prop_assert!(text.chars().count() <= 4_096);
    }
}
