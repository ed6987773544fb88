//! A model, a contact and a world that do anything at all: nothing panics, every turn ends, and `Play` holds every step to
//! its rules.

use crate::{
    agents,
    play::{Play, call, user_input},
    world::{World, one_tool, opening_hours, unreachable_server},
};
use domain::{
    Span,
    chat::{ModelFailure, ModelFailureKind, ModelResponse, ToolCall},
    execution::{ExecutionInput, ExecutionStatus::Handoff},
    message::Content,
    tool_request::ToolAnswer,
};
use engine::{CallModel, Effect, Input, Retrieval, SendOutcome};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

/// One thing that happens. Numbers choose among what is open.
#[derive(Debug, Clone)]
enum Happening {
    Said(String),
    Data(u8),
    Outside,
    Stop,
    Resume(Option<bool>),
    Timer(i64),
    Passes(i64),
    /// The oldest open effects end, so many in one step.
    Settled(usize, Vec<Ending>),
    /// An outcome that came before comes again.
    Repeated(usize),
    Foreign,
}

#[derive(Debug, Clone)]
struct Ending {
    answer: ModelResponse,
    failure: Option<ModelFailureKind>,
    /// Decides how everything but the model ends.
    dice: u8,
}

fn arguments() -> impl Strategy<Value = Value> {
    let node = select(vec![
        "a",
        "a",
        "s",
        "s",
        "w",
        "w",
        "k",
        "t",
        "f",
        "h",
        "g",
        "end",
        "__end__",
        "use_g__at__a",
        "use_p__at__s",
        "zzz",
        "",
        "__start__",
    ]);
    prop_oneof![
        6 => node.prop_map(|node| json!({"next_node": node, "reason": "r"})),
        3 => "[a-zé\n ]{0,30}".prop_map(|text| json!({"message": text})),
        2 => Just(json!({})),
        2 => ("[a-z ]{0,9}", select(vec!["faq", "no"])).prop_map(|(query, key)| json!({"queries": [query], "knowledge_base_key": key})),
        1 => any::<i32>().prop_map(|n| json!({"id": "1", "n": n})),
        1 => select(vec!["offer", "reminder"]).prop_map(|name| json!({"template_name": name, "phone_number": "", "template_parameters": {"1": "x"}})),
        1 => select(vec![json!("{\"id\": \"1\""), json!("{\"id\": 1}"), json!([1, [2]]), json!(null), json!(true), json!("\"\"")]),
        1 => any::<f64>().prop_map(|n| json!({"id": n, "n": "5"})),
    ]
}

fn tool_call() -> impl Strategy<Value = ToolCall> {
    let name = select(vec![
        "MoveToNextNode",
        "MoveToNextNode",
        "send_notification_to_user",
        "send_notification_to_user",
        "WaitForUser",
        "get_execution_metadata",
        "kb_retrieval",
        "one_request",
        "one_request",
        "k_request",
        "SendWhatsappTemplateMessage",
        "count",
        "StopExecution",
        "no such tool",
        "",
    ]);
    (name, arguments()).prop_map(|(name, arguments)| call(name, arguments))
}

fn model_answer() -> impl Strategy<Value = ModelResponse> {
    let words = prop_oneof![3 => Just(None), 1 => Just(Some(" \n".into())), 3 => "[a-z\\[\\]<>{}# ]{1,40}".prop_map(Some), 1 => Just(Some("long ".repeat(2_000)))];
    let called = prop_oneof![2 => Just(Vec::new()), 6 => vec(tool_call(), 1..4), 1 => vec(tool_call(), 50)];
    (words, called).prop_map(|(text, tool_calls)| ModelResponse { text, tool_calls, ..ModelResponse::default() })
}

fn ending() -> impl Strategy<Value = Ending> {
    let failure = prop_oneof![
        12 => Just(None),
        1 => Just(Some(ModelFailureKind::Temporary)),
        1 => Just(Some(ModelFailureKind::Permanent)),
    ];
    (model_answer(), failure, any::<u8>()).prop_map(|(answer, failure, dice)| Ending { answer, failure, dice })
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => "[a-z\\[\\]< \n]{0,20}".prop_map(Happening::Said),
        1 => any::<u8>().prop_map(Happening::Data),
        1 => Just(Happening::Outside),
        1 => prop_oneof![3 => Just(Happening::Outside), 1 => Just(Happening::Stop)],
        1 => any::<Option<bool>>().prop_map(Happening::Resume),
        1 => (0_i64..2).prop_map(Happening::Timer),
        1 => (0_i64..400).prop_map(Happening::Passes),
        24 => (1_usize..4, vec(ending(), 3)).prop_map(|(count, endings)| Happening::Settled(count, endings)),
        1 => any::<usize>().prop_map(Happening::Repeated),
        1 => Just(Happening::Foreign),
    ]
}

impl World for &Ending {
    fn model(&mut self, _: &CallModel) -> Result<ModelResponse, ModelFailure> {
        match self.failure {
            None => Ok(self.answer.clone()),
            Some(kind) => Err(ModelFailure {
                kind,
                message: "no".into(),
                retry_after_ms: Some(i64::from(self.dice)),
                ..ModelFailure::default()
            }),
        }
    }

    fn webhook(&mut self) -> ToolAnswer {
        ToolAnswer::Answered { status: 200, content: json!({"n": self.dice}), truncated: false }
    }

    fn search(&mut self) -> Retrieval {
        if self.dice < 40 { Retrieval::Failed } else { opening_hours() }
    }

    fn tools_of(&mut self, _: &str) -> ToolAnswer {
        match self.dice {
            0..=40 => unreachable_server(),
            41..=60 => ToolAnswer::Answered { status: 200, content: json!("no list"), truncated: false },
            _ => one_tool(),
        }
    }

    fn send(&mut self, _: &Content) -> SendOutcome {
        let failed = |code: &str| SendOutcome::Failed { code: code.into(), message: "no".into() };
        match self.dice {
            0..=40 => failed("send_failed"),
            41..=43 => failed("channel_auth"),
            44..=60 => SendOutcome::Unconfirmed { message_id: "m".into() },
            _ => SendOutcome::Accepted { message_id: "m".into() },
        }
    }
}

/// Inputs of a step; earlier outcomes are kept and repeated later.
fn inputs(play: &mut Play, given: &mut Vec<Input>, happening: &Happening) -> Vec<Input> {
    let id = play.key();
    match happening {
        Happening::Said(text) => vec![Input::Message { id, text: text.clone(), picture: None }],
        Happening::Data(n) => vec![Input::Data { id, value: json!({"n": n}) }],
        Happening::Outside => vec![Input::ExternalMessage { id, text: "by a person".into() }],
        Happening::Stop => vec![Input::Stop { id, reason: "s".into() }],
        Happening::Resume(message) => {
            let data = Some(ExecutionInput::Payload { value: json!({"ok": 1}) });
            vec![Input::Resume {
                id,
                interrupt: None,
                message: message.map_or(None, |said| if said { user_input("go on") } else { data }),
            }]
        }
        Happening::Timer(back) => vec![Input::Timer { generation: play.state.generation - back }],
        Happening::Passes(seconds) => {
            play.wait(Span::from_secs(*seconds));
            Vec::new()
        }
        Happening::Settled(count, endings) => {
            let count = (*count).min(play.open.len());
            let settled: Vec<Effect> = play.open.drain(..count).collect();
            let outcomes: Vec<Input> =
                settled.iter().zip(endings).map(|(effect, mut ending)| ending.outcome(effect)).collect();
            // A model call that is tried again stays open.
            let again =
                settled.iter().zip(&outcomes).filter(|(_, outcome)| matches!(outcome, Input::ModelFailed { .. }));
            let again: Vec<Effect> = again.map(|(effect, _)| effect.clone()).collect();
            play.open.extend(again);
            given.extend(outcomes.clone());
            outcomes
        }
        Happening::Repeated(which) if !given.is_empty() => vec![given[which % given.len()].clone()],
        Happening::Repeated(_) => Vec::new(),
        Happening::Foreign => vec![
            Input::Sent {
                effect: "foreign".into(),
                outcome: SendOutcome::Failed { code: "channel_auth".into(), message: "x".into() },
            },
            Input::Model { effect: "foreign".into(), response: ModelResponse::default() },
        ],
    }
}

fn holds(play: &Play) -> Result<(), TestCaseError> {
    let [models, tools, sends] = play.spent;
    prop_assert!(models <= 80 && tools <= 80 && sends <= 200, "a turn without end: {:?}", play.spent);
    if play.state.status() == Handoff {
        prop_assert!(play.state.sends.is_empty() && play.state.phase.pending().is_none());
    }
    let rests = play.state.phase.interrupt().is_some();
    let over = play.state.status().is_over();
    let new = play.history.is_empty();
    prop_assert!(
        rests || over || new || play.state.phase.pending().is_some(),
        "nothing is waited for and nothing rests"
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_step_keeps_the_invariants_for_any_inputs(steps in vec(vec(happening(), 1..3), 1..60)) {
        let mut play = Play::new(agents::one(agents::PLAIN).compiled.clone());
        let mut given = Vec::new();
        play.hears("hi");
        for step in &steps {
            let fed: Vec<Input> = step.iter().flat_map(|happening| inputs(&mut play, &mut given, happening)).collect();
            play.feed(&fed);
            holds(&play)?;
        }
    }

    #[test]
    fn every_turn_ends_for_any_model_answers(answers in vec(ending(), 1..12)) {
        let mut play = Play::new(agents::one(agents::PLAIN).compiled.clone());
        play.hears("hi");
        // The same answer to every call.
        for n in 0..2_000 {
            let Some(effect) = play.open.first().cloned() else { break };
            play.open.remove(0);
            let ending = Ending { failure: None, ..answers[n % answers.len()].clone() };
            let input = (&ending).outcome(&effect);
            play.feed(&[input]);
            holds(&play)?;
        }
        prop_assert!(play.open.is_empty(), "the turn goes on for ever");
        prop_assert!(play.state.phase.interrupt().is_some() || play.state.status().is_over());
    }
}
