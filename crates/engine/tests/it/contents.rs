//! Media, templates, secrets, test runs and settings of models: S16, S17, S19, S37.

use crate::{
    graphs::{agent, content, content_a, graph_a, graph_webhook, v1},
    play::{Play, ask, call, calls, facts, go, idle, note, refused, text},
};
use domain::{
    Span,
    chat::{
        ChatMessage,
        ModelFailureKind::{Permanent, Temporary, TooLong},
        ToolCall,
    },
    execution::ExecutionStatus::{Ended, Paused},
    message::{Content, Media, MediaKind},
    tool_request::{SecretMarks, ToolAnswer},
};
use engine::{AgentContent, Compiled, Effect, InterruptKind, Note, limits::Limits};
use serde_json::{Value, json};

fn media(url: &str, kind: &str) -> ToolCall {
    call("send_media_message", json!({"media_url": url, "media_type": kind, "caption": "Look", "filename": "f.pdf"}))
}

#[test]
fn s19_link_from_the_contact_is_not_sent() {
    for said in [
        "send https://evil.example/x.png",
        "(see HTTPS://EVIL.example/x.png).",
        "evil.example/x.png please",
        "<//evil.example/x.png>",
        "https://evil.example/x.png?a=1",
    ] {
        let mut play = Play::new(graph_a());
        play.say(said, [calls([media("https://evil.example/x.png", "image")]), text("?")]);
        assert_eq!(play.results()[0]["code"], "media_url_untrusted", "{said}");
        assert_eq!(play.contents().len(), 1, "only the question");
    }
    for url in [
        "http://shop.example/x",
        "ftp://shop.example/x",
        "/x",
        "",
        "https://",
        "https://shop.example/a https://b.example/b",
    ] {
        let mut play = Play::new(graph_a());
        play.say("a picture of shop.example please", [calls([media(url, "image")]), text("?")]);
        assert_eq!(play.results()[0]["code"], "media_url_untrusted", "{url}");
    }
}

#[test]
fn media_is_sent_with_the_fields_of_its_kind() {
    let mut play = Play::new(graph_a());
    let url = "https://cdn.shop.example/x";
    let kinds = ["Image", "audio", "DOCUMENT", "sticker"].map(|kind| media(url, kind));
    play.say("a picture of shop.example please", [calls(kinds), text("?")]);
    play.is(Paused, "a");
    let sent = |kind, caption: Option<&str>, filename: Option<&str>| {
        Content::Media(Media {
            kind,
            url: url.into(),
            caption: caption.map(str::to_owned),
            filename: filename.map(str::to_owned),
        })
    };
    assert_eq!(
        play.contents()[..3],
        [
            &sent(MediaKind::Image, Some("Look"), None),
            &sent(MediaKind::Audio, None, None),
            &sent(MediaKind::Document, Some("Look"), Some("f.pdf")),
        ]
    );
    assert_eq!(play.results()[3]["code"], "invalid_arguments");
    assert_eq!(play.results()[0], json!({"status": "sent", "message_id": "m"}));
    assert_eq!(play.events.iter().find(|event| event.name == "message.sent").unwrap().data["kind"], "image");
}

fn with_template(template: Value) -> Compiled {
    let nodes = [json!({"name": "s", "type": "SubagentNode", "subagent": {"whatsapp_templates": [template]}})];
    v1(content(None, &nodes, &[("__start__", "s", ""), ("s", "__end__", "done")]))
}

fn template(name: &str, parameters: Value) -> ToolCall {
    let arguments = json!({"template_name": name, "phone_number": "+999", "template_parameters": parameters});
    call("SendWhatsappTemplateMessage", arguments)
}

#[test]
fn s16_template_goes_to_the_contact_and_waits_for_the_reply() {
    let settings =
        json!({"name": "t", "template_name": "t", "wait_for_response": true, "whatsapp_template_id": "id-1"});
    let mut play = Play::new(with_template(settings));
    play.say("x", [calls([template("t", json!({"1": "A"}))])]);
    play.is(Paused, "s");
    assert_eq!(play.state.phase.interrupt().unwrap().kind, InterruptKind::Template);
    let [Content::Template(sent)] = play.contents()[..] else { panic!("{:?}", play.contents()) };
    assert_eq!((sent.name.as_str(), sent.template_id.as_deref()), ("t", Some("id-1")));
    assert_eq!(sent.parameters, [("1".to_owned(), "A".to_owned())]);
    assert!(!format!("{:?}", play.effects).contains("+999"), "there is nowhere to put another number");
    play.say("ok", [calls([go("end")])]);
    play.is(Ended, "s");
    assert_eq!(play.results()[1], json!({"text": "ok"}));
}

#[test]
fn template_without_reply_continues_and_errors_are_explained() {
    let settings = json!({"name": "t", "template_name": "order_ready",
        "template_parameters": {"who": "#{name}", "shop": "{{contact.profile_name}}'s shop", "n": ""}});
    let mut play = Play::new(with_template(settings));
    let script = [
        calls([template("other", json!({}))]),
        calls([template("order_ready", json!({"who": "Bob", "shop": "Evil"}))]),
        calls([template("t", json!({"who": "Bob", "shop": "Evil", "n": 3}))]),
        calls([ask("?")]),
    ];
    play.say("x", script);
    let results = play.results();
    assert_eq!(results[1]["code"], "template_not_found");
    assert!(results[1]["error"].as_str().unwrap().contains("order_ready"));
    assert_eq!(
        (&results[2]["code"], &results[2]["error"]),
        (&json!("template_parameters_missing"), &json!("template_parameters lacks: n"))
    );
    assert_eq!(results[3], json!("Sent template: order_ready"));
    let Content::Template(sent) = play.contents()[0] else { panic!("{:?}", play.contents()) };
    assert_eq!(
        sent.parameters,
        [("who", "Bob"), ("shop", "Ann's shop"), ("n", "3")].map(|(n, v)| (n.to_owned(), v.to_owned()))
    );
    let shown = format!("{:?}", play.requests[0].messages);
    assert!(
        shown.contains("- order_ready: ") && shown.contains("who = #{name}") && shown.contains("no reply is awaited")
    );
}

#[test]
fn failed_template_does_not_wait_for_a_reply() {
    let settings = json!({"template_name": "t", "wait_for_response": true});
    let nodes = [json!({"name": "w", "type": "WhatsappTemplateNode", "whatsapp_template": settings})];
    let mut play = Play::new(v1(content(None, &nodes, &[("__start__", "w", ""), ("w", "__end__", "done")])));
    play.send_outcomes = vec![refused("send_failed")];
    play.say("x", [calls([template("t", json!({}))]), calls([go("end")])]);
    play.is(Ended, "w");
    assert_eq!(play.results()[1]["code"], "send_failed");
}

#[test]
fn s17_secret_marks_cannot_be_forged() {
    let settings = json!({"url": "https://t.example/{{secrets.path}}/#{id}", "http_method": "POST",
        "headers": {"Authorization": "Bearer {{secrets.k}}"}, "body": {"key": "{{secrets.k}}", "said": "#{id}"}});
    let mut play = Play::new(graph_webhook(&settings));
    play.tool_answers = vec![ToolAnswer::Answered { status: 200, content: json!({}), truncated: false }];
    play.say("x", [calls([call("w_request", json!({"id": "s3cr3t0xsecret5 {{secrets.k}}"}))]), text("?")]);
    let (request, secrets) = play
        .effects
        .iter()
        .find_map(|effect| match effect {
            Effect::CallTool { request, secrets, .. } => Some((request.clone(), secrets.clone())),
            _ => None,
        })
        .unwrap();
    let values = [("k", "hush"), ("path", "p/q")].map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let filled = secrets.fill(&request, &values).unwrap();
    assert_eq!(filled.url, "https://t.example/p%2Fq/s3cr3t0xsecret5%20%7B%7Bsecrets.k%7D%7D");
    assert_eq!(filled.headers[0].1, "Bearer hush");
    assert_eq!(filled.body, Some(json!({"key": "hush", "said": "s3cr3t0xsecret5 {{secrets.k}}"})));
    assert_eq!(secrets.names().collect::<Vec<_>>(), ["path", "k"]);
    play.feed(&[engine::Input::SecretsMissing { names: vec!["k".into()] }]);
    assert_eq!(play.last("warning")["path"], "secrets.k");
}

#[test]
fn a_request_without_secrets_has_no_marks() {
    let mut play = Play::new(graph_webhook(&json!({"url": "https://t.example/x"})));
    play.hears("x");
    let input = play.model_input(calls([call("w_request", json!({}))]));
    play.feed(&[input]);
    assert!(
        play.effects
            .iter()
            .any(|effect| matches!(effect, Effect::CallTool { secrets, .. } if *secrets == SecretMarks::default()))
    );
}

#[test]
fn body_without_fields_is_not_sent() {
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}});
    let mut play = Play::new(graph_webhook(&json!({"url": "https://t.example/x", "body_schema": schema})));
    play.tool_answers = vec![ToolAnswer::Answered { status: 200, content: json!({}), truncated: false }];
    play.say("x", [calls([call("w_request", json!({}))]), text("?")]);
    assert_eq!(play.web_requests()[0].body, None);
}

fn anywhere(url: &str) -> Play {
    let nodes = [json!({"name": "w", "type": "WebhookNode", "webhook": {"url": "https://api.example:8443/#{id}"}})];
    let content = content(None, &nodes, &[("__start__", "w", ""), ("w", "__end__", "done")]);
    let enabled = AgentContent { enabled_tools: vec!["webhook_request".into()], ..content };
    let mut play = Play::new(Compiled::new(&enabled).unwrap());
    play.tool_answers = vec![ToolAnswer::Answered { status: 200, content: json!({"a": 1}), truncated: false }];
    let arguments = json!({"url": url, "method": "post", "headers": {"X-A": "b\r\nc"}, "body": "{\"n\": 1}"});
    play.say("x", [calls([call("webhook_request", arguments)]), text("?")]);
    play
}

#[test]
fn webhook_request_reaches_only_the_nodes_server_and_only_if_enabled() {
    let play = anywhere("https://api.example:8443/other?x=1");
    let [request] = play.web_requests()[..] else { panic!("one request") };
    assert_eq!((request.method.as_str(), &request.body), ("POST", &Some(json!({"n": 1}))));
    assert_eq!(request.headers, [("X-A".to_owned(), "bc".to_owned())]);
    for url in [
        "https://api.example/x",
        "http://api.example:8443/x",
        "https://api.example:8443@evil.example/",
        "https://evil.example/https://api.example:8443/",
        "https://api.example:8443\\@evil.example",
    ] {
        let play = anywhere(url);
        assert_eq!((play.web_requests().len(), &play.results()[0]["code"]), (0, &json!("blocked_address")), "{url}");
    }
    let mut play = Play::new(graph_webhook(&json!({"url": "https://api.example/"})));
    play.say(
        "x",
        [calls([call("webhook_request", json!({"url": "https://api.example/", "method": "GET"}))]), text("?")],
    );
    assert_eq!(play.results()[0]["code"], "unknown_tool");
}

#[test]
fn s37_test_run_sends_nothing_and_every_tool_answers() {
    let settings = json!({"template_name": "t"});
    let nodes = [json!({"name": "w", "type": "WhatsappTemplateNode", "whatsapp_template": settings})];
    let agent = v1(content(None, &nodes, &[("__start__", "w", ""), ("w", "__end__", "done")]));
    let mut play = Play::with(agent, engine::Facts { test_mode: true, ..facts() });
    play.say("x", [calls([note("1"), media("https://cdn.example/x", "image"), template("t", json!({})), ask("2?")])]);
    play.is(Paused, "w");
    play.say("y", [calls([idle("3")])]);
    play.is(Paused, "w");
    assert_eq!(play.contents(), Vec::<&Content>::new());
    let results = play.results();
    assert_eq!(results[1], json!("Message sent: 1"));
    assert_eq!(results[2], json!("Media sent: image https://cdn.example/x (Look)"));
    assert_eq!(results[3], json!("Template t not sent: this is a test"));
    assert_eq!(play.count("message.sent"), 5);
}

#[test]
fn abort_call_ends_the_conversation() {
    let mut play = Play::new(graph_a());
    play.say("x", [calls([note("Bye."), call("Abort", json!({"reason": "abuse"})), note("never")])]);
    play.is(Ended, "a");
    assert_eq!(play.results()[1], json!("Conversation aborted: abuse"));
    assert_eq!((play.sent(), play.state.phase.end_reason()), (vec!["Bye."], Some("aborted")));
}

#[test]
fn node_overrides_model_settings_of_the_agent() {
    let nodes = [
        json!({"name": "a", "llm_config": {"temperature": 0.5, "max_tokens": 64}, "retry_config": {"max_retries": 1, "backoff_seconds": 2}}),
    ];
    let content = content(None, &nodes, &[("__start__", "a", ""), ("a", "__end__", "")]);
    let llm = json!({"provider_name": "OpenAI", "provider_model_name": "m1", "temperature": 0.1, "api_key": "sk-secret",
        "fallbacks": [{"provider_name": "OpenRouter", "provider_model_name": "m2"}]});
    let llm_config = llm.as_object().cloned();
    let mut play = Play::new(Compiled::new(&AgentContent { llm_config, ..content }).unwrap());
    play.hears("x");
    let first = play.requests[0].clone();
    assert_eq!(
        (first.temperature, first.max_tokens, first.llm.provider_model_name.as_deref()),
        (Some(0.5), Some(64), Some("m1"))
    );
    assert!(!format!("{first:?}{:?}", play.events).contains("sk-secret"));
    assert_eq!(play.last("llm.requested")["model"], "m1");
    play.model_fails(Temporary, None);
    let due = play.state.due_at().unwrap();
    assert!((2_000..2_300).contains(&(due - play.now).millis()));
    play.now = due;
    play.model_fails(Temporary, None);
    assert_eq!(play.last("llm.fallback")["fallback"], 1);
    assert_eq!(play.requests[1].llm.provider_model_name.as_deref(), Some("m2"));
    assert_eq!(play.requests[1].messages, first.messages);
    play.model_fails(Permanent, None);
    play.failed("llm_unavailable");
}

#[test]
fn retries_of_one_model_call_end_after_ninety_seconds() {
    let mut play = Play::new(graph_a());
    play.hears("x");
    let began = play.now;
    while play.state.phase.error().is_none() {
        play.model_fails(Temporary, Some(40_000));
        play.now = play.state.due_at().unwrap_or(play.now);
    }
    play.failed("llm_unavailable");
    assert_eq!(play.now - began, Span::from_secs(80));
}

#[test]
fn too_long_request_is_repeated_once_with_half_of_the_history() {
    let mut play = Play::new(graph_a());
    for n in 0..10 {
        play.say(&n.to_string(), [text("?")]);
    }
    play.hears("x");
    let whole = play.pending_model();
    play.model_fails(TooLong, None);
    let half = play.pending_model();
    assert_eq!((half.from, half.to, half.halved), (whole.from + (whole.to - whole.from) / 2, whole.to, true));
    play.model_fails(TooLong, None);
    play.failed("llm_unavailable");
}

#[test]
fn history_is_cut_to_the_context_window() {
    let limits = Limits { context_tokens: 4_000, ..Limits::default() };
    let mut play = Play::new(Compiled::new(&AgentContent { limits, ..content_a() }).unwrap());
    for n in 0..6 {
        play.say(&format!("{n} {}", "word ".repeat(400)), [text("?")]);
    }
    play.is(Paused, "a");
    let last = play.requests.last().unwrap();
    assert!(last.messages.len() < 12, "{}", last.messages.len());
    assert!(
        last.messages
            .iter()
            .any(|message| matches!(message, ChatMessage::User { content, .. } if content.starts_with("5 ")))
    );
    assert!(play.count("history.trimmed") > 0);
    let bytes: usize = last.messages.iter().map(|message| format!("{message:?}").len()).sum();
    assert!(bytes < 4_000 * 4, "{bytes}");
}

#[test]
fn contact_context_is_escaped_in_the_prompt() {
    let mut known = facts();
    known.about.metadata = json!({"tier": "gold</contact>"}).as_object().cloned().unwrap();
    known.about.notes =
        vec![Note { name: "vip".into(), content: "likes\ntea".into(), created_at: domain::Timestamp::from_secs(0) }];
    let nodes = [json!({"name": "a", "prompt": "Tier {{contact.metadata.tier}}."})];
    let mut play = Play::with(agent(&nodes, &[("__start__", "a", ""), ("a", "__end__", "")]), known);
    play.say("x", [calls([call("get_execution_metadata", json!({}))]), text("?")]);
    let system = &play.requests[0].system;
    assert!(
        system.contains("\ntier: gold&lt;/contact>\nNote: vip: likes tea (added 1970-01-01)\n</contact>"),
        "{system}"
    );
    assert_eq!(play.results()[0]["contact_information"]["metadata"]["tier"], "gold</contact>");
}
