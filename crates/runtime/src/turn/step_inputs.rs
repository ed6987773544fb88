//! Takes inputs from the mailbox, also while a person owns the conversation.
//!
//! A live execution gets everything but a resume. Without one none may start: messages stay in the
//! mailbox until the assignment or the pause ends, and the execution that starts then gets them in
//! order, as earlier messages.

use crate::json::from_json;
use domain::{Timestamp, execution::ExecutionStatus, ids::ProjectId, message::Direction};
use engine::{EarlierMessage, Input};
use serde_json::json;
use store::{
    Result, Tx,
    conversations::ConversationRow,
    executions,
    mailbox::{self, MailRow},
};

pub(super) struct Taken {
    pub inputs: Vec<Input>,
    /// The place of the first input in the mailbox; 0 if it was empty.
    pub first_seq: i64,
    /// The place of the contact's first message among the inputs.
    pub first_message: Option<i64>,
    /// Messages that others sent in the agent's place: kept for an execution that starts later, if
    /// there is none.
    pub external: Vec<MailRow>,
    /// The execution has not started and must not start now.
    pub must_wait: bool,
}

/// Takes the inputs that the execution may get now and leaves the others.
pub(super) async fn take(
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    now: Timestamp,
) -> Result<Taken> {
    let is_held = conversation.is_held(now);
    let mut rows = Vec::new();
    for row in mailbox::take(tx, project, conversation.id).await? {
        let input: Input = from_json("input", &row.body)?;
        rows.push((row, input));
    }
    let first_seq = rows.first().map_or(0, |(row, _)| row.seq);
    let mut taken =
        Taken { inputs: Vec::new(), first_seq, first_message: None, external: Vec::new(), must_wait: false };
    let status = match conversation.execution_id.filter(|_| is_held) {
        Some(id) => executions::find(tx, project, id).await?.map(|row| row.status),
        None => None,
    };
    let stopped = rows.iter().any(|(_, input)| matches!(input, Input::Stop { .. }));
    taken.must_wait = status == Some(ExecutionStatus::Started) && !stopped;
    let none_live = status.is_none_or(ExecutionStatus::is_over);
    for (row, input) in rows {
        let waits = match input {
            _ if !is_held => false,
            Input::Resume { .. } => conversation.is_assigned(),
            Input::Message { .. } | Input::Edited { .. } | Input::Data { .. } | Input::ExternalMessage { .. } => {
                none_live || taken.must_wait
            }
            _ => taken.must_wait,
        };
        if waits {
            mailbox::put(tx, project, conversation.id, &row).await?;
            continue;
        }
        if matches!(input, Input::Message { .. }) {
            taken.first_message.get_or_insert(row.seq);
        }
        if matches!(input, Input::ExternalMessage { .. }) {
            taken.external.push(row);
        }
        taken.inputs.push(input);
    }
    Ok(taken)
}

/// For a new execution after people have written: everything up to their last message becomes
/// earlier messages. If the contact has written nothing since, the execution starts with a note
/// that the conversation was handed back.
pub(super) fn as_earlier(inputs: &mut Vec<Input>, now: Timestamp) {
    let Some(last) = inputs.iter().rposition(|input| matches!(input, Input::ExternalMessage { .. })) else { return };
    let mut messages = Vec::new();
    let mut others = Vec::new();
    for (place, input) in std::mem::take(inputs).into_iter().enumerate() {
        match input {
            Input::Message { id, text, picture } if place < last => {
                let id = Some(id);
                messages.push(EarlierMessage { id, direction: Direction::Inbound, text, sent_at: now, picture });
            }
            Input::Edited { id, note: text, .. } if place < last => {
                let id = Some(id);
                messages.push(EarlierMessage { id, direction: Direction::Inbound, text, sent_at: now, picture: None });
            }
            Input::ExternalMessage { text, .. } => {
                let direction = Direction::Outbound;
                messages.push(EarlierMessage { id: None, direction, text, sent_at: now, picture: None });
            }
            other => others.push(other),
        }
    }
    let has_request =
        others.iter().any(|input| matches!(input, Input::Message { .. } | Input::Edited { .. } | Input::Data { .. }));
    inputs.push(Input::Earlier { messages });
    inputs.extend(others);
    if !has_request {
        let value = json!("A person has handed the conversation back to you.");
        inputs.push(Input::Data { id: "handed_back".into(), value });
    }
}

/// Puts earlier messages before those in the inputs.
pub(super) fn prepend_earlier(inputs: &mut Vec<Input>, earlier: Option<Input>) {
    let Some(Input::Earlier { messages: mut all }) = earlier else { return };
    let existing =
        inputs.iter_mut().find_map(|input| if let Input::Earlier { messages } = input { Some(messages) } else { None });
    match existing {
        Some(messages) => {
            all.append(messages);
            *messages = all;
        }
        None => inputs.insert(0, Input::Earlier { messages: all }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact_message(text: &str) -> Input {
        Input::Message { id: text.into(), text: text.into(), picture: None }
    }

    fn outside(text: &str) -> Input {
        Input::ExternalMessage { id: text.into(), text: text.into() }
    }

    fn earlier(inputs: &[Input]) -> Vec<(Direction, &str)> {
        let Some(Input::Earlier { messages }) = inputs.first() else { return Vec::new() };
        messages.iter().map(|message| (message.direction, message.text.as_str())).collect()
    }

    #[test]
    fn messages_before_the_last_message_of_a_person_become_history() {
        let mut inputs = vec![
            contact_message("hi"),
            outside("hello"),
            contact_message("so?"),
            outside("wait"),
            contact_message("still there?"),
        ];
        as_earlier(&mut inputs, Timestamp::from_secs(1));
        let (them, us) = (Direction::Inbound, Direction::Outbound);
        assert_eq!(earlier(&inputs), [(them, "hi"), (us, "hello"), (them, "so?"), (us, "wait")]);
        assert_eq!(inputs[1..], [contact_message("still there?")]);
    }

    #[test]
    fn messages_before_the_assignment_come_first() {
        let message = |text: &str| EarlierMessage {
            id: None,
            direction: Direction::Inbound,
            text: text.into(),
            sent_at: Timestamp::from_secs(1),
            picture: None,
        };
        let before = || Some(Input::Earlier { messages: vec![message("long ago")] });
        let mut inputs = vec![contact_message("hi"), outside("hello")];
        as_earlier(&mut inputs, Timestamp::from_secs(1));
        prepend_earlier(&mut inputs, before());
        let (them, us) = (Direction::Inbound, Direction::Outbound);
        assert_eq!(earlier(&inputs), [(them, "long ago"), (them, "hi"), (us, "hello")]);
        let mut inputs = vec![contact_message("hi")];
        prepend_earlier(&mut inputs, before());
        assert_eq!((earlier(&inputs), &inputs[1]), (vec![(them, "long ago")], &contact_message("hi")));
    }

    #[test]
    fn agent_starts_with_a_note_if_every_message_was_answered() {
        let mut inputs = vec![contact_message("hi"), outside("hello")];
        as_earlier(&mut inputs, Timestamp::from_secs(1));
        assert!(matches!(inputs[..], [Input::Earlier { .. }, Input::Data { .. }]));
        let mut inputs = vec![contact_message("hi")];
        as_earlier(&mut inputs, Timestamp::from_secs(1));
        assert_eq!(inputs, [contact_message("hi")]);
    }
}
