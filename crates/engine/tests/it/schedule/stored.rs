//! The rows of the scheduled world's store: executions, mailbox and outbox.

use crate::play::facts;
use domain::{Id, Timestamp};
use engine::{Entry, Event, Facts, Input, STATE_FORMAT, State};
use uuid::Uuid;

/// An execution as the last commit stored it.
pub struct Execution {
    pub state: String,
    pub history: Vec<Entry>,
    pub events: Vec<Event>,
    pub timer: Option<(i64, Timestamp)>,
    pub journal: Vec<(Timestamp, Vec<Input>)>,
    pub began_as: State,
}

impl Execution {
    pub fn new(number: usize) -> Self {
        let execution_id = Id::from_uuid(Uuid::from_u128(u128::try_from(number).unwrap()));
        let began_as = State::new(Facts { execution_id, ..facts() });
        let state = serde_json::to_string(&began_as).unwrap();
        Self { state, history: Vec::new(), events: Vec::new(), timer: None, journal: Vec::new(), began_as }
    }

    pub fn state(&self) -> State {
        State::load(STATE_FORMAT, &self.state).unwrap()
    }
}

/// An input that waits for the worker. Inputs other than messages of the contact belong to one execution.
#[derive(Debug, Clone)]
pub struct Mail {
    pub execution: Option<usize>,
    pub input: Input,
}

/// An outbox entry.
pub struct Row {
    pub execution: usize,
    pub id: String,
    pub text: String,
    pub settled: bool,
}
