//! Stored states and journals of every released format load.
//! `samples/format-N/` holds executions as they were stored. A new format adds a folder; no file of
//! an older one changes.

use domain::execution::ExecutionStatus;
use engine::{AgentContent, Compiled, Effect, Input, QueuedInput, RequestedStatus, STATE_FORMAT, State, advance};
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

fn samples() -> Vec<(String, Value)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/samples");
    let mut samples = Vec::new();
    for folder in fs::read_dir(root).unwrap() {
        for file in fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            samples
                .push((path.display().to_string(), serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap()));
        }
    }
    samples
}

#[test]
fn every_stored_state_and_journal_loads_and_is_written_byte_for_byte() {
    let mut steps = 0;
    let samples = samples();
    for (name, sample) in &samples {
        let text = sample["state"].as_str().unwrap();
        let state =
            State::load(sample["state_format"].as_i64().unwrap(), text).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert_eq!(serde_json::to_string(&state).unwrap(), text, "{name}");
        let content: AgentContent = serde_json::from_str(sample["agent"].as_str().unwrap()).unwrap();
        let agent = Compiled::new(&content).unwrap_or_else(|why| panic!("{name}: {why}"));
        let mut replayed = State::new(state.facts.clone());
        for step in sample["journal"].as_array().unwrap() {
            let inputs: Vec<Input> = serde_json::from_str(step["inputs"].as_str().unwrap()).unwrap();
            assert_eq!(serde_json::to_string(&inputs).unwrap(), step["inputs"].as_str().unwrap(), "{name}");
            let _: Vec<Effect> = serde_json::from_str(step["effects"].as_str().unwrap()).unwrap();
            let at = domain::Timestamp::from_micros(step["at"].as_i64().unwrap());
            advance(&agent, &mut replayed, at, &inputs);
            steps += 1;
        }
        assert_eq!(replayed.status(), state.status(), "{name}: the same inputs still end the same way");
    }
    assert!(samples.len() >= 3 && steps > 50, "{} samples, {steps} steps", samples.len());
}

#[test]
fn current_format_has_samples_and_newer_ones_are_rejected() {
    assert!(samples().iter().any(|(_, sample)| sample["state_format"] == STATE_FORMAT));
    let (_, sample) = samples().remove(0);
    let why = State::load(STATE_FORMAT + 1, sample["state"].as_str().unwrap()).unwrap_err();
    assert!(why.contains("newer"), "{why}");
}

#[test]
fn states_whose_fields_disagree_are_rejected() {
    let new = serde_json::to_value(State::new(crate::play::facts())).unwrap();
    for (status, why) in [("paused", "interrupt"), ("handoff", "interrupt"), ("failed", "error")] {
        let mut stored = new.clone();
        stored["status"] = json!(status);
        let refused = State::load(STATE_FORMAT, &stored.to_string()).unwrap_err();
        assert!(refused.contains(why), "{status}: {refused}");
    }
    let mut stored = new;
    stored["status"] = json!("handoff");
    stored["interrupt"] = json!({"id": "interrupt_1", "kind": "wait", "node": "a", "since": 0});
    let refused = State::load(STATE_FORMAT, &stored.to_string()).unwrap_err();
    assert!(refused.contains("interrupt"), "{refused}");
}

/// Words that no sample holds.
#[test]
fn inputs_and_queues_keep_their_stored_words() {
    let (id, text) = ("1".to_owned(), "hi".to_owned());
    let inputs = [
        Input::Message { id: id.clone(), text: text.clone(), picture: None },
        Input::ExternalMessage { id: id.clone(), text: text.clone() },
        Input::Reclaimed,
    ];
    let stored =
        r#"[{"input":"said","id":"1","text":"hi"},{"input":"outside","id":"1","text":"hi"},{"input":"taken_over"}]"#;
    assert_eq!(serde_json::to_string(&inputs).unwrap(), stored);
    let mut state = State::new(crate::play::facts());
    let plain = serde_json::to_value(&state).unwrap();
    state.inputs.queued = vec![QueuedInput::Message { id, text, picture: None }];
    state.inputs.external_messages = vec!["hello".into()];
    state.inputs.requested_status = Some(RequestedStatus { status: ExecutionStatus::Handoff, reason: "mine".into() });
    state.sent_call = Some("call_1".into());
    state.last_message_at = Some(domain::Timestamp::from_micros(7));
    let mut expected = plain;
    expected["inbox"] = json!([{"said": {"id": "1", "text": "hi"}}]);
    expected["outside"] = json!(["hello"]);
    expected["wanted"] = json!({"status": "handoff", "reason": "mine"});
    expected["said"] = json!("call_1");
    expected["heard_at"] = json!(7);
    assert_eq!(serde_json::to_value(&state).unwrap(), expected);
}
