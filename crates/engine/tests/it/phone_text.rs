//! Texts of the model as the phone shows them (docs/spec/engine.md 3.2).

use crate::{
    graphs::{content_a, graph_a, v1},
    play::{Play, ask, call, calls, facts, note, text},
};
use domain::message::Content;
use engine::Facts;
use serde_json::json;

const MARKDOWN: &str = include_str!("../../../../fixtures/answers/markdown.json");

/// The text that the phone shows for a text of the model.
fn shown(words: &str) -> String {
    let mut play = Play::new(graph_a());
    play.hears("x");
    let input = play.model_input(text(words));
    play.feed(&[input]);
    play.sent().join("\n\n")
}

#[test]
fn markdown_becomes_whatsapps_marks_and_a_second_pass_changes_nothing() {
    let texts: Vec<(String, String)> = serde_json::from_str(MARKDOWN).unwrap();
    for (markdown, expected) in &texts {
        assert_eq!(shown(markdown), expected.trim(), "{markdown}");
        assert_eq!(shown(expected), expected.trim(), "twice: {markdown}");
    }
    assert!(texts.len() >= 60, "{}", texts.len());
}

#[test]
fn messages_of_tools_and_captions_are_converted_too() {
    let mut play = Play::new(v1(content_a()));
    let media = json!({"media_url": "https://x.example/p.jpg", "media_type": "image", "caption": "**Blue**"});
    play.say("x", [calls([note("**one**"), call("send_media_message", media), ask("## two")])]);
    assert_eq!(play.sent(), ["*one*", "*two*"]);
    let caption = play.contents().into_iter().find_map(|content| match content {
        Content::Media(media) => media.caption.clone(),
        _ => None,
    });
    assert_eq!(caption.as_deref(), Some("*Blue*"));
}

#[test]
fn conversion_can_be_switched_off_and_needs_a_phone() {
    let as_written = |facts: Facts| {
        let mut play = Play::with(graph_a(), facts);
        play.say("x", [text("**a**")]);
        play.last("message.sent")["text"].clone()
    };
    assert_eq!(as_written(Facts { keep_markdown: true, ..facts() }), "**a**");
    assert_eq!(as_written(Facts { without_channel: true, ..facts() }), "**a**");
    assert_eq!(as_written(Facts { test_mode: true, ..facts() }), "*a*", "a test chat shows what the phone shows");
    assert_eq!(as_written(Facts { rules: 1, ..facts() }), "**a**");
}

#[test]
fn limits_hold_after_the_conversion_and_nothing_is_dropped_in_silence() {
    let line = "**A bold sentence that is said.** ";
    let mut play = Play::new(graph_a());
    play.say("x", [text(&line.repeat(200))]);
    let sent = play.sent();
    assert!(sent.len() == 2 && sent.iter().all(|part| part.chars().count() <= 4_096), "{}", sent.len());
    assert!(sent.iter().all(|part| part.ends_with("said.*") || part.ends_with("said.")));
    assert_eq!(play.count("warning"), 0);
    let mut play = Play::new(graph_a());
    play.say("x", [text(&"word ".repeat(10_000))]);
    assert_eq!(play.sent().len(), 10);
    let warning = play.last("warning");
    assert_eq!(warning["code"], "text_truncated");
    let kept: usize = play.sent().iter().map(|part| part.split(' ').count()).sum();
    assert_eq!(warning["characters"].as_u64().unwrap() as usize, (10_000 - kept) * 5 - 1);
}
