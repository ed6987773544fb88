//! Knowledge bases: search results, the model's view of them, and places that must not hold the
//! text.

use crate::{
    graphs::{agent, content, v1},
    play::{Play, call, calls, go, note, text},
};
use domain::{Span, chat::ModelResponse, execution::ExecutionStatus};
use engine::{
    Compiled, Effect, Input, Retrieval,
    knowledge::{CHUNKER, Index, Knowledge},
};
use serde_json::{Value, json};
use std::sync::Arc;

const FAQ: &str = "# Hours\nOpen at nine.\n\n# Refunds\nWe refund within 30 days.";

fn asks(key: &str, queries: Value) -> ModelResponse {
    calls([call("kb_retrieval", json!({"queries": queries, "knowledge_base_key": key}))])
}

/// start → k, a KnowledgeBaseNode → s, a SubagentNode with two bases → end.
fn shop() -> Compiled {
    agent(
        &[
            json!({"name": "k", "type": "KnowledgeBaseNode", "knowledge_base": {"knowledge_base_text": FAQ}}),
            json!({"name": "s", "type": "SubagentNode", "subagent": {"knowledge_bases": [
                {"name": "faq", "description": "Returns and opening hours", "knowledge_base_text": FAQ},
                {"name": "b", "key": "prices", "knowledge_base_text": "Paper is 3."}]}}),
        ],
        &[("__start__", "k", ""), ("k", "s", "more"), ("s", "__end__", "done")],
    )
}

/// A handbook of so many chapters, one of which is about refunds.
fn handbook(chapters: usize) -> String {
    let other = |number: usize| {
        let line = format!("Item {number} is kept on shelf {} and is checked on day {}. ", number % 31, number % 7);
        format!("# Chapter {number}\n\n{}\n\n", line.repeat(40))
    };
    let mut text: String = (0..chapters / 2).map(other).collect();
    text.push_str("# Refunds\n\nWe refund the whole price within 30 days. Devoluções são gratuitas.\n\n");
    text.extend((chapters / 2..chapters).map(other));
    text
}

fn index(text: &str) -> Index {
    Index::build(&Arc::from(text))
}

fn found(text: &str, queries: &[&str]) -> Vec<String> {
    index(text).search(&queries.iter().map(|query| (*query).to_owned()).collect::<Vec<_>>())
}

// ---- search results

#[test]
fn a_text_of_six_thousand_tokens_is_given_whole() {
    assert_eq!(found(FAQ, &["anything"]), [FAQ]);
    let longest = "word ".repeat(24_000 / 5);
    assert_eq!(found(&longest, &["no such thing"]), [longest.trim()]);
    assert!(found(&format!("{longest}more."), &["no such thing"]).is_empty());
}

#[test]
fn a_long_text_is_searched_and_the_right_chapter_comes_first() {
    let text = handbook(100);
    for query in ["refund", "REFUNDS", "how do I get my money back? refund price", "devolucoes", "Devoluções grátis"]
    {
        let passages = found(&text, &[query]);
        assert!(passages[0].contains("We refund the whole price"), "{query}: {passages:#?}");
        assert!((1..=3).contains(&passages.len()), "{query}");
    }
    assert!(found(&text, &["xylophone"]).is_empty());
}

#[test]
fn a_search_brings_eight_passages_of_eight_thousand_tokens_at_most_and_none_twice() {
    let text = handbook(200);
    let passages = found(&text, &["chapter 3", "chapter 50", "chapter 77", "chapter 120", "refund"]);
    assert_eq!(passages.len(), 8);
    assert!(passages.iter().map(|passage| passage.len() / 4).sum::<usize>() <= 8_000);
    let distinct: std::collections::BTreeSet<&String> = passages.iter().collect();
    assert_eq!(distinct.len(), 8);
    // The best passages of each query are included.
    for query in ["chapter 3", "chapter 50", "chapter 77", "chapter 120", "refund"] {
        assert!(passages.contains(&found(&text, &[query])[0]), "{query}");
    }
    // Two queries find more than one.
    let both = found(&text, &["chapter 77", "refund price", "refund days"]);
    assert!(both[0].contains("We refund"), "{both:#?}");
    // Equal pages count once.
    let same = "The same line on each page, with the same end. ".repeat(2_000);
    assert!(found(&same, &["same line", "each page", "end"]).len() <= 3);
}

#[test]
fn hostile_texts_are_indexed_within_limits() {
    let size = 256 << 10;
    for unit in ["a", "word ", "🦜", "字", "\u{301}", " ", "\n", "\0", "# \n"] {
        let text = unit.repeat(size / unit.len());
        let passages = found(&text, &["a", "word", "字", "🦜", ""]);
        assert!(passages.len() <= 8, "{unit:?}");
        assert!(passages.iter().all(|passage| !passage.is_empty() && !passage.contains('\0')), "{unit:?}");
    }
    assert!(found("", &["x"]).is_empty() && found(" \n ", &["x"]).is_empty());
    // Many different words take the most memory: less than four times the text.
    let distinct: String = (0..size / 7).map(|number| format!("{number:06x} ")).collect();
    let index = index(&distinct);
    assert!(index.bytes() < 5 * distinct.len(), "{} bytes", index.bytes());
    assert!(index.search(&["000abc".into()])[0].contains("000abc"));
}

#[test]
fn control_characters_do_not_enlarge_the_result() {
    assert_eq!(found("a\u{1b}[31m\0b\r\nc\td", &["x"]), ["a[31mb\nc\td"]);
}

#[test]
fn equal_texts_have_equal_digests() {
    let (one, same, other) = (Knowledge::new("a", "text"), Knowledge::new("b", "text"), Knowledge::new("a", "text."));
    assert_eq!(one.digest(), same.digest());
    assert_ne!(one.digest(), other.digest());
    assert_eq!(CHUNKER, 1, "another chunker needs another number: then change this line");
}

// ---- results for the model

#[test]
fn the_model_searches_and_reads_what_was_found() {
    let mut play = Play::new(shop());
    play.say(
        "refund?",
        [asks("kb_k", json!(["refund"])), go_and("s"), asks("FAQ", json!(["hours"])), text("At nine.")],
    );
    assert_eq!(play.results()[0], json!({"results": [FAQ]}));
    assert_eq!(play.sent(), ["At nine."]);
    let searches: Vec<&Effect> =
        play.effects.iter().filter(|effect| matches!(effect, Effect::Retrieve { .. })).collect();
    let Effect::Retrieve { node, base, queries, .. } = searches[1] else { panic!() };
    assert_eq!((searches.len(), node.as_str(), base.as_str(), queries.len()), (2, "s", "faq", 1));
    assert_eq!(play.last("tool.result")["ok"], true);
}

fn go_and(node: &str) -> ModelResponse {
    calls([go(node)])
}

#[test]
fn step_prompt_lists_keys_and_subjects() {
    let mut play = Play::new(shop());
    play.say("x", [go_and("s"), text("?")]);
    let shown = format!("{:?}", play.requests);
    for line in ["## Knowledge bases\\n", "\\n- kb_k\\n", "\\n- faq: Returns and opening hours\\n", "\\n- prices\\n"] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
    let described = json!({"name": "k", "type": "KnowledgeBaseNode", "description": "Opening hours",
        "knowledge_base": {"key": "hours", "knowledge_base_text": FAQ}});
    let mut play = Play::new(agent(&[described], &[("__start__", "k", ""), ("k", "__end__", "")]));
    play.say("x", [text("?")]);
    assert!(format!("{:?}", play.requests).contains("- hours: Opening hours\\n"));
}

#[test]
fn kb_retrieval_is_offered_in_nodes_with_a_base() {
    let nodes = [
        json!({"name": "k", "type": "KnowledgeBaseNode", "knowledge_base": {"knowledge_base_text": FAQ}}),
        json!({"name": "s", "type": "SubagentNode", "subagent": {}}),
    ];
    let content = content(None, &nodes, &[("__start__", "k", ""), ("k", "s", ""), ("s", "__end__", "")]);
    for (agent, base) in [(Compiled::new(&content).unwrap(), 5), (v1(content.clone()), 6)] {
        let names = |node: &str| -> Vec<String> {
            agent.node(node).unwrap().tools.iter().skip(base).map(|tool| tool.name.clone()).collect()
        };
        assert_eq!((names("k"), names("s")), (vec!["kb_retrieval".to_owned()], Vec::new()));
    }
    insta::assert_json_snapshot!("kb_retrieval", Compiled::new(&content).unwrap().node("k").unwrap().tools[5]);
}

#[test]
fn empty_query_and_unknown_base_return_errors_to_the_model() {
    let mut play = Play::new(shop());
    play.say(
        "x",
        [
            asks("kb_k", json!([])),
            asks("kb_k", json!([" ", "\n"])),
            asks("faq", json!(["x"])),
            asks("kb_k", json!(["1", "2", "3", "4", "5", "6"])),
            asks("kb_k", json!("[\"hours\"]")),
            go_and("s"),
            asks("kb_k", json!(["x"])),
            text("?"),
        ],
    );
    let results = play.results();
    let codes: Vec<Option<&str>> = results.iter().map(|result| result["code"].as_str()).collect();
    let (none, unknown) = (Some("no_queries"), Some("unknown_knowledge_base"));
    assert_eq!(codes[..5], [none, none, unknown, Some("invalid_arguments"), None]);
    assert_eq!(results[2]["available_keys"], json!(["kb_k"]));
    assert_eq!(results[4], json!({"results": [FAQ]}), "a list in a text is a list");
    assert_eq!(results.last().unwrap()["available_keys"], json!(["faq", "prices"]));
    assert!(results.last().unwrap()["error"].as_str().unwrap().contains("faq, prices"));
    assert_eq!(play.effects.iter().filter(|effect| matches!(effect, Effect::Retrieve { .. })).count(), 1);
}

#[test]
fn a_base_that_cannot_be_searched_does_not_end_the_turn() {
    let mut play = Play::new(shop());
    play.hears("x");
    let asked = play.model_input(asks("kb_k", json!(["x"])));
    play.feed(&[asked]);
    let Effect::Retrieve { id, .. } = play.open.remove(0) else { panic!() };
    play.wait(Span::from_secs(2));
    play.feed(&[Input::Retrieved { effect: id, retrieval: Retrieval::Failed }]);
    play.answer([text("Sorry.")]);
    assert_eq!(play.results()[0]["code"], "retrieval_failed");
    let told = play.events.iter().find(|event| event.name == "tool.result").unwrap();
    assert_eq!((&told.data["ok"], &told.data["ms"]), (&json!(false), &json!(2_000)));
    play.is(ExecutionStatus::Paused, "k");
}

#[test]
fn result_of_an_unexpected_search_is_ignored() {
    let mut play = Play::new(shop());
    play.say("x", [text("?")]);
    let before = play.state.clone();
    let passages = vec!["late".to_owned()];
    play.feed(&[Input::Retrieved { effect: "another".into(), retrieval: Retrieval::Found { passages } }]);
    assert_eq!(play.state, before);
}

#[test]
fn stop_during_a_search_applies_after_it_and_messages_are_kept() {
    let mut play = Play::new(shop());
    play.hears("x");
    let asked = play.model_input(calls([
        call("kb_retrieval", json!({"queries": ["x"], "knowledge_base_key": "kb_k"})),
        note("never"),
    ]));
    play.feed(&[asked]);
    play.stop();
    play.is(ExecutionStatus::Running, "k");
    let search = play.open.remove(0);
    play.feed(&[play.retrieved(&search)]);
    play.is(ExecutionStatus::Stopped, "k");
    assert!(play.sent().is_empty());
}

// ---- places that must not hold the text

#[test]
fn knowledge_text_is_in_no_prompt_state_or_effect_and_events_hold_only_what_was_found() {
    let secret = "Only whoever searches reads this: 4711.";
    let text_of = format!("{}\n\n{secret}", handbook(20));
    let node = json!({"name": "k", "type": "KnowledgeBaseNode", "prompt": "Help.", "knowledge_base": {"knowledge_base_text": text_of}});
    let mut play = Play::new(agent(&[node], &[("__start__", "k", ""), ("k", "__end__", "")]));
    let sees = |play: &Play, wanted: bool| {
        let all = [
            format!("{:?}", play.requests),
            serde_json::to_string(&play.state).unwrap(),
            serde_json::to_string(&play.events).unwrap(),
            serde_json::to_string(&play.effects).unwrap(),
            format!("{:?}", play.agent.node("k").unwrap().node),
        ];
        assert_eq!(
            all.iter().map(|text| text.contains("4711")).collect::<Vec<_>>(),
            [wanted, false, wanted, false, false]
        );
    };
    play.say("x", [asks("kb_k", json!(["refund price"])), text("?")]);
    assert!(play.results()[0].to_string().contains("We refund"));
    sees(&play, false);
    play.say("y", [asks("kb_k", json!(["whoever searches"])), text("?")]);
    sees(&play, true);
}
