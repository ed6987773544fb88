//! Models that say nothing, or nothing that can be used: the contact gets an answer of a fallback, the
//! agent's sentence for that, or a person (docs/spec/engine.md 5.4).

use crate::{
    graphs::{content_a, graph_a, v1},
    play::{Play, ask, calls, facts, note, text},
};
use domain::{
    chat::{Ended, ModelFailureKind::Permanent, ModelResponse},
    execution::ExecutionStatus::{Failed, Handoff, Paused, Running},
};
use engine::{AgentContent, Compiled, Facts};
use serde_json::{Value, json};

fn with_fallbacks(number: usize) -> Compiled {
    let fallbacks: Vec<_> = (0..number).map(|n| json!({"provider_model_name": format!("spare-{n}")})).collect();
    let llm_config = json!({"fallbacks": fallbacks}).as_object().cloned();
    Compiled::new(&AgentContent { llm_config, ..content_a() }).unwrap()
}

/// Agents of both versions, with a sentence for failures or without.
fn agents(sentence: Option<&str>) -> [Compiled; 2] {
    let mut content = content_a();
    content.limits.failure_message = sentence.map(Into::into);
    [Compiled::new(&content).unwrap(), v1(content)]
}

/// Names of the models that were asked; the agent's own has none.
fn asked(play: &Play) -> Vec<Value> {
    let requests = play.events.iter().filter(|event| event.name == "llm.requested");
    requests.map(|event| event.data["model"].clone()).collect()
}

fn empty() -> ModelResponse {
    calls([])
}

fn refusal() -> ModelResponse {
    ModelResponse { ended: Ended::Refused, ..calls([]) }
}

#[test]
fn silent_model_fails_the_execution_after_the_sentence_of_the_agent() {
    for agent in agents(Some("A colleague will write to you.")) {
        let mut play = Play::new(agent);
        play.say("x", [empty(), empty()]);
        play.is(Failed, "a");
        play.failed("llm_unavailable");
        assert_eq!(play.sent(), ["A colleague will write to you."]);
        assert_eq!(play.last("warning")["code"], "silent_model");
    }
    for agent in agents(None) {
        let mut play = Play::new(agent);
        play.say("x", [empty(), empty()]);
        play.failed("llm_unavailable");
        assert_eq!(play.sent(), [""; 0]);
    }
}

#[test]
fn texts_of_version_1_that_reach_no_one_fail_the_execution() {
    let [_, agent] = agents(Some("Sorry."));
    let mut play = Play::new(agent);
    play.say("x", [text("thinking"), text("thinking"), text("thinking")]);
    play.failed("llm_unavailable");
    assert_eq!((play.sent(), play.requests.len()), (vec!["Sorry."], 3));
}

#[test]
fn agent_that_spoke_in_the_turn_waits() {
    for agent in agents(Some("Sorry.")) {
        let mut play = Play::new(agent);
        play.say("x", [calls([note("One moment.")]), empty(), empty()]);
        play.is(Paused, "a");
        assert_eq!((play.sent(), &play.last("warning")["code"]), (vec!["One moment."], &json!("silent_model")));
        // What was said before counts for its own turn only.
        play.say("y", [empty(), empty()]);
        play.is(Failed, "a");
    }
}

#[test]
fn refusal_without_words_gives_the_contact_the_sentence_or_a_person() {
    for agent in agents(Some("I may not speak about that.")) {
        let mut play = Play::new(agent);
        play.say("x", [refusal()]);
        play.is(Paused, "a");
        assert_eq!((play.requests.len(), play.sent()), (1, vec!["I may not speak about that."]));
        play.hears("y");
        play.is(Running, "a");
    }
    for agent in agents(None) {
        let mut play = Play::new(agent);
        play.say("x", [refusal()]);
        play.is(Handoff, "a");
        assert_eq!(play.last("execution.status")["reason"], "refused");
    }
    let [_, agent] = agents(None);
    let mut play = Play::new(agent);
    play.say("x", [ModelResponse { ended: Ended::Refused, ..text("I cannot help with that.") }]);
    play.is(Handoff, "a");
    assert_eq!(play.sent(), [""; 0], "texts of version 1 are private");
}

#[test]
fn fallback_answers_after_a_model_that_cannot_be_used() {
    let malformed = || ModelResponse { ended: Ended::Malformed, ..text("?") };
    let call_as_text = || text(r#"{"name": "no_such_tool", "arguments": {}}"#);
    for bad in [vec![empty(), empty()], vec![malformed(), malformed(), malformed()], vec![call_as_text(); 3]] {
        let mut play = Play::new(with_fallbacks(2));
        let count = bad.len();
        let answers = bad.iter().cloned().chain(bad.iter().cloned()).chain([text("Here.")]);
        play.say("x", answers);
        play.is(Paused, "a");
        assert_eq!(play.sent(), ["Here."]);
        let [own, first] = [vec![Value::Null; count], vec![json!("spare-0"); count]];
        assert_eq!(asked(&play), [own, first, vec![json!("spare-1")]].concat());
        assert_eq!(play.count("llm.fallback"), 2);
        // The next turn asks the agent's own model first.
        play.say("y", [text("Again.")]);
        assert_eq!(asked(&play).last(), Some(&Value::Null));
    }
    let mut play = Play::new(with_fallbacks(1));
    play.say("x", [empty(), empty(), empty(), empty()]);
    play.failed("llm_unavailable");
}

#[test]
fn fallback_that_was_asked_answers_for_the_rest_of_the_turn() {
    let mut play = Play::new(with_fallbacks(1));
    play.hears("x");
    play.open.clear();
    play.model_fails(Permanent, None);
    play.answer([calls([note("One moment.")]), text("Done.")]);
    let spare = json!("spare-0");
    assert_eq!(asked(&play), [Value::Null, spare.clone(), spare]);
    assert_eq!(play.sent(), ["One moment.", "Done."]);
}

#[test]
fn execution_of_older_rules_waits_in_silence() {
    let [version_2, version_1] = [|| text("?"), || calls([ask("?")])];
    let silent = [
        (graph_a(), vec![empty(), empty()], version_2()),
        (graph_a(), vec![refusal()], version_2()),
        (v1(content_a()), vec![text("thinking"); 3], version_1()),
    ];
    for (agent, answers, last) in silent {
        let mut play = Play::with(agent, Facts { rules: 2, ..facts() });
        play.say("x", answers);
        play.is(Paused, "a");
        assert_eq!(play.sent(), [""; 0]);
        let stored = serde_json::to_value(&play.state).unwrap();
        assert_eq!((stored["turn"].get("spoke"), stored["turn"].get("fallback")), (None, None));
        play.say("y", [last]);
        assert_eq!(play.sent(), ["?"]);
    }
    let mut play = Play::with(with_fallbacks(1), Facts { rules: 2, ..facts() });
    play.hears("x");
    play.open.clear();
    play.model_fails(Permanent, None);
    assert_eq!((play.count("llm.fallback"), play.state.turn.fallback), (1, 0));
}
