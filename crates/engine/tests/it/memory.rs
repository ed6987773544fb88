//! The part of a long conversation that the model sees: S27.

use crate::{
    check,
    graphs::{content_a, graph_a, graph_b},
    play::{Play, calls, go, metadata, text},
};
use domain::{chat::ChatMessage, execution::ExecutionStatus::Paused};
use engine::{AgentContent, CallModel, Compiled, limits::Limits, model_request};
use serde_json::json;

#[test]
fn s27_a_long_conversation_is_cut_and_keeps_its_step_prompt_and_first_message() {
    let mut play = Play::new(graph_a());
    for n in 0..60 {
        play.say(&format!("message {n}"), [text(&format!("answer {n}"))]);
    }
    play.is(Paused, "a");
    let last = play.requests.last().unwrap();
    let said = |text: &str| last.messages.contains(&ChatMessage::user(text.into()));
    assert!(said("message 0") && said("message 59") && !said("message 20"));
    // For any number of earlier entries: every request was checked before.
    assert_eq!(play.requests.len(), 60);
}

#[test]
fn a_first_payload_is_kept_too() {
    let mut play = Play::new(graph_a());
    play.data(json!({"order": 1}), [text("?")]);
    for _ in 0..30 {
        play.say("x", [text("?")]);
    }
    assert_eq!(play.requests.last().unwrap().messages[0], ChatMessage::user("[system data]\n{\"order\":1}".into()));
}

#[test]
fn results_of_calls_made_at_once_are_kept_or_cut_together() {
    for size in 1..=20 {
        let mut play = Play::new(graph_b());
        for n in 0..8 {
            let many = (0..size).map(|_| metadata()).chain([go(if n % 2 == 0 { "b" } else { "a" })]);
            play.say("x", [calls(many.take(20)), text("?")]);
        }
    }
}

#[test]
fn wherever_the_window_begins_the_request_is_whole() {
    let mut play = Play::new(graph_b());
    for n in 0..6 {
        play.say(
            "x",
            [calls([metadata(), metadata(), go(if n % 2 == 0 { "b" } else { "a" })]), calls([metadata()]), text("?")],
        );
    }
    let call = play.pending();
    for from in 1..=call.to {
        let call = CallModel { from, ..call.clone() };
        let request = model_request(&play.agent, &play.state, &call, &play.history);
        if request.messages.len() <= 40 {
            check::request(&request, &call.node);
        }
        // Older rows may be given as well, in any order.
        let mut rows = play.history.clone();
        rows.sort_by_key(|(seq, _)| *seq < from);
        rows.sort_by_key(|(seq, _)| (*seq >= from, *seq));
        assert_eq!(model_request(&play.agent, &play.state, &call, &rows), request);
    }
}

#[test]
fn an_answer_with_more_calls_than_fit_is_cut() {
    let mut play = Play::new(graph_a());
    play.say("x", [calls((0..50).map(|_| metadata())), text("?")]);
    play.is(Paused, "a");
    assert_eq!(play.results().len(), 20);
    assert_eq!(play.count("warning"), 1);
}

#[test]
fn cut_history_is_summarised_once_per_twenty_messages() {
    let limits = Limits { summaries: true, ..Limits::default() };
    let mut play = Play::new(Compiled::new(&AgentContent { limits, ..content_a() }).unwrap());
    let mut summaries = 0;
    for n in 0..60 {
        play.hears(&format!("message {n}"));
        if play.pending_model().summarises {
            let request = play.requests.last().unwrap();
            assert_eq!((request.tools.len(), request.messages.len()), (0, 1));
            summaries += 1;
            // One failure: the conversation continues without a summary.
            let answer = if summaries == 2 { text(" ") } else { text(&format!("Summary {summaries}.")) };
            play.answer([answer]);
        }
        play.answer([text(&format!("answer {n}"))]);
    }
    play.is(Paused, "a");
    let cut = play.last("history.trimmed")["cut"].as_i64().unwrap();
    assert!((cut / 24..=cut / 20).contains(&summaries), "{summaries} for {cut} that were cut");
    let last = format!("{:?}", play.requests.last().unwrap().messages);
    assert!(last.contains(&format!("[system data] What was said earlier, in short:\\nSummary {summaries}.")), "{last}");
    assert_eq!(play.count("warning"), 1);
    assert!(!play.sent().iter().any(|text| text.contains("Summary")));
}

#[test]
fn failed_summary_is_skipped_and_a_message_meanwhile_discards_nothing() {
    let limits = Limits { summaries: true, history_messages: 10, ..Limits::default() };
    let mut play = Play::new(Compiled::new(&AgentContent { limits, ..content_a() }).unwrap());
    let mut n = 0;
    while play.state.phase.pending().is_none() || !play.pending_model().summarises {
        if play.state.phase.pending().is_some() {
            play.answer([text("?")]);
        }
        play.hears(&n.to_string());
        n += 1;
    }
    play.hears("meanwhile");
    assert_eq!(play.count("llm.discarded"), 0);
    play.open.clear();
    play.model_fails(domain::chat::ModelFailureKind::Permanent, None);
    play.answer([text("seen")]);
    play.is(Paused, "a");
    assert_eq!(play.sent().last(), Some(&"seen"));
    assert_eq!(play.state.history.summary.as_ref().map(|summary| summary.text.as_str()), Some(""));
}

impl Play {
    /// A model call over the whole history.
    fn pending(&mut self) -> CallModel {
        self.hears("now");
        self.pending_model()
    }
}
