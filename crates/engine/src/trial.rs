//! One run of a test case: a simulated user talks with the agent until the script is used up, then
//! a judge grades the conversation (docs/spec/engine.md 6.2).
//! Like an execution it is a state machine with inputs and effects. The agent runs as an ordinary
//! execution in test mode; this part only decides who speaks next.

use domain::{
    Span, Timestamp,
    agent::RetryConfig,
    chat::{ModelFailure, ModelFailureKind, ModelResponse, Usage},
};
use serde::{Deserialize, Serialize};

use crate::{
    judge, limits,
    simulated_user::{self, SimulatedReply},
};
pub use crate::{judge::Verdict, transcript::Line};

/// Messages of the simulated user.
pub const USER_MESSAGES: u32 = 30;
/// From the first request to the judge.
pub const LONGEST: Span = Span::from_mins(10);
/// Tokens of agent and simulated user together.
pub const TOKENS: u64 = 200_000;
/// Unreadable answers to one request.
const UNREADABLE: u32 = 2;

/// The awaited party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Queued,
    Simulating,
    Talking,
    Judging,
    Over,
}

/// Reason for a missing verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialError {
    /// `judge_failed`, `simulator_failed`, `cancelled`, or the code of the agent's failure.
    pub kind: String,
    /// For people.
    pub message: String,
}

/// The durable state of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Script of the simulated user, as it was when the run started.
    pub script: String,
    /// The judge's rubric.
    pub rubric: String,
    pub phase: Phase,
    pub began_at: Option<Timestamp>,
    /// Messages of the simulated user.
    #[serde(rename = "said")]
    pub messages: u32,
    /// Unreadable answers to the open request.
    pub unreadable: u32,
    /// Reason why the judge's last answer was no verdict.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refused: Option<String>,
    /// Failed attempts of the open request.
    pub failures: u32,
    /// Earliest time of the open request.
    pub not_before: Option<Timestamp>,
    /// Tokens of simulated user and judge.
    pub usage: Usage,
    /// Tokens of the agent, as last reported.
    pub agent_usage: Usage,
    /// A limit ended the conversation.
    pub limit_reached: bool,
    /// The conversation ended without a failure of the agent.
    pub completed: bool,
    pub verdict: Option<Verdict>,
    pub error: Option<TrialError>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "input", rename_all = "snake_case")]
pub enum TrialInput {
    /// A worker starts the run.
    Begin,
    /// The agent's turn is over.
    Agent {
        #[serde(rename = "rest")]
        end: AgentTurnEnd,
        /// Tokens so far.
        usage: Usage,
    },
    /// Simulated user or judge answered.
    Answered {
        response: ModelResponse,
    },
    /// The model call of simulated user or judge failed.
    Unanswered {
        failure: ModelFailure,
    },
    /// Time has passed; a limit may be reached.
    Time,
    Cancel,
    /// The run ends with an error that is not the agent's.
    Fail {
        /// Stable code.
        code: String,
        /// For people.
        message: String,
    },
}

/// End of the agent's turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rest", rename_all = "snake_case")]
pub enum AgentTurnEnd {
    /// Waits for the simulated user.
    Waits,
    /// Ended, or handed off to a person.
    Done,
    Failed {
        /// Stable code.
        code: String,
        /// For people.
        message: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum TrialEffect {
    AskUser,
    AskJudge,
    /// Sends a message of the simulated user to the agent.
    #[serde(rename = "say")]
    SendToAgent {
        text: String,
    },
    /// The run is over.
    Finish,
}

impl Trial {
    pub fn new(script: String, rubric: String) -> Self {
        Self {
            script,
            rubric,
            phase: Phase::Queued,
            began_at: None,
            messages: 0,
            unreadable: 0,
            refused: None,
            failures: 0,
            not_before: None,
            usage: Usage::default(),
            agent_usage: Usage::default(),
            limit_reached: false,
            completed: false,
            verdict: None,
            error: None,
        }
    }

    /// Time at which the conversation is judged at the latest.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.began_at.map(|began| began + LONGEST)
    }

    /// Takes one input. The same state, time and input give the same effects.
    pub fn advance(&mut self, at: Timestamp, input: &TrialInput) -> Vec<TrialEffect> {
        match (self.phase, input) {
            (Phase::Over, _) => Vec::new(),
            (_, TrialInput::Fail { code, message }) => self.end_with_error(code, message),
            (_, TrialInput::Cancel) => self.end_with_error("cancelled", "the run was cancelled"),
            (Phase::Queued, TrialInput::Begin) => {
                self.began_at = Some(at);
                self.request(Phase::Simulating)
            }
            (Phase::Simulating | Phase::Talking, TrialInput::Time) if self.late(at) => self.judge_at_limit(),
            (Phase::Talking, TrialInput::Agent { end, usage }) => {
                self.agent_usage = *usage;
                self.agent_turn_ended(at, end)
            }
            (Phase::Simulating, TrialInput::Answered { response }) => {
                self.usage.add(response.usage);
                self.user_answered(response)
            }
            (Phase::Judging, TrialInput::Answered { response }) => {
                self.usage.add(response.usage);
                self.judge_answered(response)
            }
            (Phase::Simulating | Phase::Judging, TrialInput::Unanswered { failure }) => self.retry_or_fail(at, failure),
            _ => Vec::new(),
        }
    }

    fn late(&self, at: Timestamp) -> bool {
        self.deadline().is_some_and(|deadline| at >= deadline)
    }

    fn request(&mut self, phase: Phase) -> Vec<TrialEffect> {
        self.phase = phase;
        self.unreadable = 0;
        self.refused = None;
        self.failures = 0;
        self.request_again()
    }

    fn request_again(&mut self) -> Vec<TrialEffect> {
        self.not_before = None;
        vec![if self.phase == Phase::Judging { TrialEffect::AskJudge } else { TrialEffect::AskUser }]
    }

    fn judge(&mut self) -> Vec<TrialEffect> {
        self.completed = true;
        self.request(Phase::Judging)
    }

    fn judge_at_limit(&mut self) -> Vec<TrialEffect> {
        self.limit_reached = true;
        self.judge()
    }

    fn agent_turn_ended(&mut self, at: Timestamp, end: &AgentTurnEnd) -> Vec<TrialEffect> {
        let tokens =
            [self.usage, self.agent_usage].iter().map(|usage| usage.input_tokens + usage.output_tokens).sum::<u64>();
        match end {
            AgentTurnEnd::Failed { code, message } => self.fail(code, message),
            AgentTurnEnd::Done => self.judge(),
            AgentTurnEnd::Waits if self.messages >= USER_MESSAGES || tokens >= TOKENS || self.late(at) => {
                self.judge_at_limit()
            }
            AgentTurnEnd::Waits => self.request(Phase::Simulating),
        }
    }

    fn user_answered(&mut self, response: &ModelResponse) -> Vec<TrialEffect> {
        match simulated_user::read(response) {
            Some(SimulatedReply::Message(text)) => {
                self.messages += 1;
                self.phase = Phase::Talking;
                self.not_before = None;
                vec![TrialEffect::SendToAgent { text }]
            }
            Some(SimulatedReply::ScriptEnded) if self.messages > 0 => self.judge(),
            // Without a message the script cannot be used up.
            _ => self.unreadable("the simulated user gave no message"),
        }
    }

    fn judge_answered(&mut self, response: &ModelResponse) -> Vec<TrialEffect> {
        match judge::read(response) {
            Ok(verdict) => {
                self.verdict = Some(verdict);
                self.finish()
            }
            Err(why) => {
                self.refused = Some(why.to_owned());
                self.unreadable(why)
            }
        }
    }

    fn unreadable(&mut self, why: &str) -> Vec<TrialEffect> {
        self.unreadable += 1;
        if self.unreadable < UNREADABLE { self.request_again() } else { self.request_failed(why) }
    }

    fn retry_or_fail(&mut self, at: Timestamp, failure: &ModelFailure) -> Vec<TrialEffect> {
        let again = [ModelFailureKind::Temporary, ModelFailureKind::Adapted, ModelFailureKind::Malformed];
        if !again.contains(&failure.kind) || self.failures >= RetryConfig::DEFAULT.max_retries {
            return self.request_failed(&failure.message);
        }
        let wait = Span::from_millis(RetryConfig::DEFAULT.backoff.millis() << self.failures.min(10))
            .min(limits::MODEL_RETRY_CAP);
        self.failures += 1;
        let effects = self.request_again();
        self.not_before = Some(at + wait);
        effects
    }

    /// A failed judge says nothing about the agent: no score. Without a simulated user there was no
    /// test: score 0.
    fn request_failed(&mut self, why: &str) -> Vec<TrialEffect> {
        if self.phase == Phase::Judging {
            return self.end_with_error("judge_failed", why);
        }
        self.fail("simulator_failed", why)
    }

    fn fail(&mut self, kind: &str, message: &str) -> Vec<TrialEffect> {
        self.verdict = Some(Verdict { hundredths: 0, feedback: String::new() });
        self.end_with_error(kind, message)
    }

    fn end_with_error(&mut self, kind: &str, message: &str) -> Vec<TrialEffect> {
        self.error = Some(TrialError { kind: kind.into(), message: message.into() });
        self.finish()
    }

    fn finish(&mut self) -> Vec<TrialEffect> {
        self.phase = Phase::Over;
        self.not_before = None;
        vec![TrialEffect::Finish]
    }
}
