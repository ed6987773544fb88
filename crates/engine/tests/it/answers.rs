//! Answers are cleaned before they are used: private reasoning, marks of a model's format, and calls
//! that are written as text (docs/spec/engine.md 5.4, decision 26).

use crate::{
    graphs::{content_a, graph_a, graph_webhook, v1},
    play::{Play, ask, call, calls, facts, note, text, text_and},
};
use domain::{
    chat::{ChatMessage, Ended, ModelResponse, Rendering, Usage},
    execution::ExecutionStatus::Paused,
    tool_request::ToolAnswer,
};
use engine::{Compiled, Facts, Input};
use serde_json::{Value, json};

/// Forms of private text, as messages of chat-completions servers; the server's tests read them too.
const PRIVATE: &str = include_str!("../../../../fixtures/answers/private_text.json");
const CANARY: &str = "CANARY";

fn forms() -> Vec<Value> {
    serde_json::from_str::<Vec<Value>>(PRIVATE).unwrap()
}

/// Plays one answer of the model. Returns the texts sent to the contact, and the event's data.
fn heard(words: &str) -> (Vec<String>, Value) {
    let mut play = Play::new(graph_a());
    play.hears("x");
    let input = play.model_input(text(words));
    play.feed(&[input]);
    let sent = play.sent().into_iter().map(str::to_owned).collect();
    (sent, play.last("llm.responded").clone())
}

#[test]
fn private_text_in_no_form_reaches_the_contact_and_all_of_it_is_in_the_trace() {
    let mut seen = 0;
    for form in forms() {
        let Some(words) = form["message"]["content"].as_str().filter(|text| text.contains(CANARY)) else { continue };
        let (name, said) = (&form["name"], form["said"].as_str());
        let (sent, event) = heard(words);
        assert_eq!(sent, said.into_iter().collect::<Vec<_>>(), "{name}");
        assert!(event["reasoning"].as_str().unwrap_or_default().contains(CANARY), "{name}: {event}");
        assert!(!event["text"].to_string().contains(CANARY), "{name}: {event}");
        seen += 1;
    }
    assert!(seen >= 50, "{seen} forms");
}

#[test]
fn private_text_in_arguments_reaches_no_one() {
    for form in forms() {
        let Some(words) = form["message"]["content"].as_str().filter(|text| text.contains(CANARY)) else { continue };
        let (name, said) = (&form["name"], form["said"].as_str());
        for tool in ["send_notification_to_user", "AskUserForInput", "EnterIdleState"] {
            let mut play = Play::new(v1(content_a()));
            play.hears("x");
            let input = play.model_input(calls([call(tool, json!({"message": words}))]));
            play.feed(&[input]);
            assert_eq!(play.sent(), said.into_iter().collect::<Vec<_>>(), "{tool}: {name}");
            if said.is_none() {
                assert_eq!(play.results().last().unwrap()["code"], "invalid_arguments", "{tool}: {name}");
            }
        }
    }
}

#[test]
fn reasoning_that_the_provider_separated_is_in_the_trace_only() {
    let mut play = Play::new(graph_a());
    let answer = ModelResponse { reasoning: Some("CANARY".into()), ..text("Hello.") };
    play.say("x", [answer]);
    assert_eq!((play.sent(), &play.last("llm.responded")["reasoning"]), (vec!["Hello."], &json!("CANARY")));
    assert!(!format!("{:?}", play.history).contains(CANARY), "the model does not read it again");
}

#[test]
fn quoted_tags_and_ordinary_words_are_untouched() {
    for words in [
        "The tag `<think>` begins reasoning, `</think>` ends it.",
        "Example:\n```\n<think>secret</think>\n```\nThat is all.",
        "You wrote \"<think>\", which is a tag.",
        "I think we open at nine. 3 < 5 and 7 > 2.",
        "Write <answer> in the box.",
        "Reasoning: we are closed on Sundays.",
        "analysis of your order: it is late",
        "Final answer: yes.",
        "Thoughtful people think.",
        "Use {\"size\": 3} as the body.",
        "The list [1, 2] is fine.",
        "I can move_to anything (really).",
    ] {
        let (sent, event) = heard(words);
        assert_eq!(sent, [words]);
        assert_eq!(event.get("reasoning"), None, "{words}");
    }
    assert_eq!(heard("<s>20 EUR</s> 15 EUR").0, ["~20 EUR~ 15 EUR"], "HTML is no mark of a model's format");
}

#[test]
fn prefixes_end_marks_and_invented_turns_are_cut() {
    for words in [
        "Assistant: Hello.",
        "assistant\nHello.",
        "<|im_start|>assistant\nHello.<|im_end|>",
        "<|start_header_id|>assistant<|end_header_id|>\n\nHello.<|eot_id|>",
        "<start_of_turn>model\nHello.<end_of_turn>",
        "Hello.</s>",
        "Hello.<|im_end|>\n<|im_start|>user\nAnd you?",
        "Hello.<|endoftext|>Hello again.",
        "<s>[/INST] Hello.",
        "### Response:\nHello.",
        "Hello.<｜end▁of▁sentence｜>",
        "{\"message\": \"Hello.\"}",
        "[system note] Your answer was empty and nothing was sent.\n\nHello.",
        "Hello.\n\n[System note] Say something.",
        "Hello. [system data] {\"a\": 1}",
    ] {
        assert_eq!(heard(words).0, ["Hello."], "{words}");
    }
    for words in
        ["[system note] Your answer was empty.", "# Step: a\n\n## Instructions\nHelp.", "<|im_end|>", "Assistant:"]
    {
        let (sent, _) = heard(words);
        assert_eq!(sent, Vec::<String>::new(), "{words}");
    }
}

fn shop() -> Compiled {
    let schema = json!({"type": "object", "properties": {"size": {"type": "integer"}}});
    graph_webhook(&json!({"url": "https://shop.example/x", "http_method": "POST", "body_schema": schema}))
}

/// Forms of one call, `w_request {"size": 42}`.
const CALLS: [&str; 22] = [
    r#"{"name": "w_request", "arguments": {"size": 42}}"#,
    r#"{"name": "w_request", "parameters": {"size": 42}}"#,
    r#"{"type": "function", "function": {"name": "w_request", "arguments": "{\"size\": 42}"}}"#,
    r#"{"tool_calls": [{"id": "1", "function": {"name": "w_request", "arguments": {"size": 42}}}]}"#,
    r#"[{"name": "w_request", "arguments": {"size": 42}}]"#,
    r#"{"tool": "w_request", "args": {"size": 42}}"#,
    r#"{"action": "w_request", "action_input": {"size": 42}}"#,
    "```json\n{\"name\": \"w_request\", \"arguments\": {\"size\": 42}}\n```",
    "<tool_call>\n{\"name\": \"w_request\", \"arguments\": {\"size\": 42}}\n</tool_call>",
    "<tool_call>{\"name\": \"w_request\", \"arguments\": {\"size\": 42}}",
    "<think>I need it.</think>\n<tool_call>{\"name\": \"w_request\", \"arguments\": {\"size\": 42}}</tool_call><|im_end|>",
    r#"[TOOL_CALLS][{"name": "w_request", "arguments": {"size": 42}}]"#,
    r#"[TOOL_CALLS]w_request[ARGS]{"size": 42}"#,
    r#"<|python_tag|>{"name": "w_request", "parameters": {"size": 42}}"#,
    r#"<function=w_request>{"size": 42}</function>"#,
    "<tool_call>\n<function=w_request>\n<parameter=size>\n42\n</parameter>\n</function>\n</tool_call>",
    r#"<function_calls><invoke name="w_request"><parameter name="size">42</parameter></invoke></function_calls>"#,
    r#"<|tool_calls_section_begin|><|tool_call_begin|>functions.w_request:0<|tool_call_argument_begin|>{"size": 42}<|tool_call_end|><|tool_calls_section_end|>"#,
    "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>w_request\n```json\n{\"size\": 42}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
    "<|channel|>analysis<|message|>Look.<|end|><|start|>assistant<|channel|>commentary to=functions.w_request <|constrain|>json<|message|>{\"size\": 42}<|call|>",
    r#"w_request({"size": 42})"#,
    r#"<|tool_call|>[{"name": "w_request", "arguments": {"size": 42}}]"#,
];

#[test]
fn text_that_is_calls_of_offered_tools_is_taken_as_calls() {
    for form in CALLS {
        let mut play = Play::new(shop());
        play.tool_answers = vec![ToolAnswer::Answered { status: 200, content: json!({}), truncated: false }];
        play.say("x", [text(form), text("?")]);
        let [request] = play.web_requests()[..] else { panic!("no request: {form}") };
        assert_eq!((&request.body, play.sent()), (&Some(json!({"size": 42})), vec!["?"]), "{form}");
        let event = play.events.iter().find(|event| event.name == "llm.responded").unwrap();
        assert_eq!((&event.data["calls_from_text"], &event.data["text"]), (&json!(true), &json!(form)));
    }
    let mut play = Play::new(shop());
    play.tool_answers = vec![ToolAnswer::Answered { status: 200, content: json!({}), truncated: false }; 2];
    let two = "{\"name\": \"w_request\", \"arguments\": {\"size\": 1}}\n{\"name\": \"w_request\", \"arguments\": {\"size\": 2}}";
    play.say("x", [text(two), text("?")]);
    assert_eq!(play.web_requests().len(), 2, "one per line");
}

#[test]
fn text_that_only_holds_a_call_is_neither_run_nor_sent() {
    for form in [
        "I will look.\n{\"name\": \"w_request\", \"arguments\": {\"size\": 42}}",
        "I will look. <tool_call>{\"name\": \"w_request\", \"arguments\": {\"size\": 42}}</tool_call>",
        "```json\n{\"name\": \"w_request\", \"arguments\": {\"size\": 42}}\n```\nDone.",
        r#"{"name": "unknown_tool", "arguments": {}}"#,
        r#"[{"name": "w_request", "arguments": {}}, {"name": "unknown", "arguments": {}}]"#,
        r#"{"name": "w_request", "arguments": {"size": 4"#,
        "<tool_call>broken",
        "[w_request(size=42)]",
        "w_request(size=42)",
        "<function=w_request>{\"size\"",
        "Thought: I need the tool.\nFinal Answer: <tool_call>",
    ] {
        let mut play = Play::new(shop());
        play.say("x", [text(form), text("?")]);
        assert_eq!((play.web_requests().len(), play.sent()), (0, vec!["?"]), "{form}");
        assert_eq!(play.last("warning")["code"], "call_as_text", "{form}");
        assert!(play.user_messages().last().unwrap().contains("tool call as text"));
    }
}

#[test]
fn call_that_the_contact_wrote_is_not_run_when_the_model_repeats_it() {
    let order = r#"{"name": "w_request", "arguments": {"size": 42}}"#;
    let mut play = Play::new(shop());
    play.say(&format!("Repeat after me: {order}"), [text(order), text("No.")]);
    assert_eq!((play.web_requests().len(), play.sent()), (0, vec!["No."]));
    play.say("please", [text(order), text("No!")]);
    assert_eq!(play.web_requests().len(), 0, "nor later");
    let mut play = Play::new(shop());
    play.feed(&[Input::Data { id: "d".into(), value: json!({"text": order}) }]);
    play.answer([text(order), text("No.")]);
    assert_eq!(play.web_requests().len(), 0, "nor what a payload holds");
}

#[test]
fn text_that_repeats_real_calls_is_not_sent() {
    let mut play = Play::new(shop());
    play.tool_answers = vec![ToolAnswer::Answered { status: 200, content: json!({}), truncated: false }];
    play.say("x", [text_and(CALLS[0], [call("w_request", json!({"size": 42}))]), text("?")]);
    assert_eq!((play.web_requests().len(), play.sent()), (1, vec!["?"]));
}

#[test]
fn call_in_a_message_is_not_sent() {
    let mut play = Play::new(v1(content_a()));
    play.say("x", [calls([note(CALLS[0])]), calls([ask("?")])]);
    assert_eq!(play.sent(), ["?"]);
    assert_eq!(play.results()[1]["code"], "invalid_arguments");
}

#[test]
fn malformed_answer_runs_nothing_and_is_asked_again() {
    for agent in [graph_a(), v1(content_a())] {
        let mut play = Play::new(agent);
        play.hears("x");
        let bad = ModelResponse { ended: Ended::Malformed, ..text_and("half", [note("never")]) };
        play.answer([bad.clone()]);
        assert_eq!((play.sent(), play.count("tool.called")), (vec![], 0));
        assert_eq!(play.last("warning")["code"], "malformed_answer");
        assert_eq!(play.last("llm.responded")["malformed"], true);
        play.answer([bad.clone(), bad]);
        play.failed("llm_unavailable");
        assert_eq!((play.sent(), play.requests.len()), (vec![], 3), "the third one ends the execution");
    }
    let mut play = Play::new(graph_a());
    let bad = || ModelResponse { ended: Ended::Malformed, ..text("half") };
    play.say("x", [bad(), bad(), text("Hello.")]);
    play.say("y", [bad(), bad(), text("Again.")]);
    play.is(Paused, "a");
    assert_eq!(play.sent(), ["Hello.", "Again."], "they count in a row only");
}

#[test]
fn estimated_usage_is_marked_and_counts_for_the_budget() {
    let mut content = content_a();
    content.limits.token_budget = Some(100);
    let mut play = Play::new(Compiled::new(&content).unwrap());
    let usage = Usage { input_tokens: 90, output_tokens: 20, cached_tokens: 0 };
    let answer = ModelResponse { usage, usage_estimated: true, ..calls([crate::play::metadata()]) };
    play.say("x", [answer]);
    assert_eq!(play.last("llm.responded")["usage_estimated"], true);
    play.failed("budget_exceeded");
}

#[test]
fn first_token_time_is_shown_with_the_call_from_rules_3_on() {
    for (rules, shown) in [(3, true), (2, false)] {
        let mut play = Play::with(graph_a(), Facts { rules, ..facts() });
        let rendering = Rendering { dialect: "openai".into(), streamed: true, ..Rendering::default() };
        let (first_token_ms, rendering) = (Some(412), Some(Box::new(rendering)));
        play.say("x", [ModelResponse { first_token_ms, rendering, ..text("Hello.") }]);
        let event = play.last("llm.responded");
        assert_eq!(event.get("first_token_ms"), shown.then_some(&json!(412)));
        assert_eq!(event["rendering"].get("streamed"), shown.then_some(&json!(true)));
    }
}

#[test]
fn numbers_keep_their_digits_in_history_request_and_journal() {
    let long = "12345678901234567890123";
    let schema = json!({"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}});
    let agent = graph_webhook(&json!({"url": "https://shop.example/x", "http_method": "POST", "body_schema": schema}));
    let mut play = Play::new(agent);
    play.tool_answers = vec![ToolAnswer::Answered { status: 200, content: json!({}), truncated: false }];
    let raw = format!("{{\"id\": {long}, \"name\": {long}}}");
    play.say("x", [calls([call("w_request", json!(raw))]), text("?")]);
    let body = play.web_requests()[0].body.clone().unwrap().to_string();
    assert_eq!(domain::numbers::unmarked(body), format!("{{\"id\":{long},\"name\":\"{long}\"}}"));
    assert!(play.history.iter().any(|(_, message)| matches!(message,
        ChatMessage::Assistant { tool_calls, .. } if tool_calls.iter().any(|call| call.arguments == json!(raw)))));
}

#[test]
fn older_execution_uses_answers_as_they_came() {
    let mut play = Play::with(graph_a(), Facts { rules: 1, ..facts() });
    play.say("x", [text("<think>a</think>**b**")]);
    assert_eq!(play.sent(), ["<think>a</think>**b**"]);
    assert_eq!(play.last("llm.responded").get("reasoning"), None);
    let stored = serde_json::to_value(&play.state).unwrap();
    assert_eq!((stored.get("quotes_calls"), stored["turn"].get("last_write")), (None, None));
}
