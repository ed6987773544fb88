//! What waits in the mailbox while a person has the conversation.
//!
//! An execution at work or in a handoff hears everything but a resume. Where none is, nothing may begin: what was said
//! stays in the mailbox until the conversation is given back, and the execution that begins then is told it in its order.

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

/// What a step takes of the mailbox.
pub(super) struct Taken {
    pub inputs: Vec<Input>,
    /// The place of the first thing in the mailbox; 0 if it was empty.
    pub first: i64,
    /// What others said in our name: kept for an agent that will begin later, if none is there now.
    pub outside: Vec<MailRow>,
    /// Nothing may be done: the execution has not begun and must not now.
    pub waits: bool,
}

/// Takes the inputs that may be taken; the others are left.
pub(super) async fn take(tx: &mut Tx<'_>, project: ProjectId, conversation: &ConversationRow) -> Result<Taken> {
    let mut rows = Vec::new();
    for row in mailbox::take(tx, project, conversation.id).await? {
        let input: Input = from_json("input", &row.body)?;
        rows.push((row, input));
    }
    let first = rows.first().map_or(0, |(row, _)| row.seq);
    let mut taken = Taken { inputs: Vec::new(), first, outside: Vec::new(), waits: false };
    let status = match conversation.execution_id.filter(|_| conversation.is_assigned()) {
        Some(id) => executions::find(tx, project, id).await?.map(|row| row.status),
        None => None,
    };
    let stopped = rows.iter().any(|(_, input)| matches!(input, Input::Stop { .. }));
    taken.waits = status == Some(ExecutionStatus::Started) && !stopped;
    let none_at_work = status.is_none_or(ExecutionStatus::is_over);
    for (row, input) in rows {
        let waits = match input {
            _ if !conversation.is_assigned() => false,
            Input::Resume { .. } => true,
            Input::Said { .. } | Input::Data { .. } | Input::Outside { .. } => none_at_work || taken.waits,
            _ => taken.waits,
        };
        if waits {
            mailbox::put(tx, project, conversation.id, &row).await?;
            continue;
        }
        if matches!(input, Input::Outside { .. }) {
            taken.outside.push(row);
        }
        taken.inputs.push(input);
    }
    Ok(taken)
}

/// An execution is about to begin after people have talked: all up to their last word was said before it. Where nothing
/// was said since, it begins with the news that it has the conversation again.
pub(super) fn as_earlier(inputs: &mut Vec<Input>, now: Timestamp) {
    let Some(last) = inputs.iter().rposition(|input| matches!(input, Input::Outside { .. })) else { return };
    let mut messages = Vec::new();
    let mut others = Vec::new();
    for (place, input) in std::mem::take(inputs).into_iter().enumerate() {
        match input {
            Input::Said { text, .. } if place < last => {
                messages.push(EarlierMessage { direction: Direction::Inbound, text, sent_at: now });
            }
            Input::Outside { text, .. } => {
                messages.push(EarlierMessage { direction: Direction::Outbound, text, sent_at: now });
            }
            other => others.push(other),
        }
    }
    let is_asked = others.iter().any(|input| matches!(input, Input::Said { .. } | Input::Data { .. }));
    inputs.push(Input::Earlier { messages });
    inputs.extend(others);
    if !is_asked {
        let value = json!("A person has handed the conversation back to you.");
        inputs.push(Input::Data { id: "handed_back".into(), value });
    }
}

/// Puts what was said before all of this in front.
pub(super) fn tell_first(inputs: &mut Vec<Input>, earlier: Option<Input>) {
    let Some(Input::Earlier { messages: mut all }) = earlier else { return };
    let told =
        inputs.iter_mut().find_map(|input| if let Input::Earlier { messages } = input { Some(messages) } else { None });
    match told {
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

    fn said(text: &str) -> Input {
        Input::Said { id: text.into(), text: text.into() }
    }

    fn outside(text: &str) -> Input {
        Input::Outside { id: text.into(), text: text.into() }
    }

    fn earlier(inputs: &[Input]) -> Vec<(Direction, &str)> {
        let Some(Input::Earlier { messages }) = inputs.first() else { return Vec::new() };
        messages.iter().map(|message| (message.direction, message.text.as_str())).collect()
    }

    #[test]
    fn what_was_said_before_a_person_s_last_word_is_history_and_the_rest_is_a_question() {
        let mut inputs = vec![said("hi"), outside("hello"), said("so?"), outside("wait"), said("still there?")];
        as_earlier(&mut inputs, Timestamp::from_secs(1));
        let (them, us) = (Direction::Inbound, Direction::Outbound);
        assert_eq!(earlier(&inputs), [(them, "hi"), (us, "hello"), (them, "so?"), (us, "wait")]);
        assert_eq!(inputs[1..], [said("still there?")]);
    }

    #[test]
    fn what_was_said_before_the_assignment_comes_first() {
        let message = |text: &str| EarlierMessage {
            direction: Direction::Inbound,
            text: text.into(),
            sent_at: Timestamp::from_secs(1),
        };
        let before = || Some(Input::Earlier { messages: vec![message("long ago")] });
        let mut inputs = vec![said("hi"), outside("hello")];
        as_earlier(&mut inputs, Timestamp::from_secs(1));
        tell_first(&mut inputs, before());
        let (them, us) = (Direction::Inbound, Direction::Outbound);
        assert_eq!(earlier(&inputs), [(them, "long ago"), (them, "hi"), (us, "hello")]);
        let mut inputs = vec![said("hi")];
        tell_first(&mut inputs, before());
        assert_eq!((earlier(&inputs), &inputs[1]), (vec![(them, "long ago")], &said("hi")));
    }

    #[test]
    fn an_agent_that_gets_an_answered_conversation_back_is_told_so() {
        let mut inputs = vec![said("hi"), outside("hello")];
        as_earlier(&mut inputs, Timestamp::from_secs(1));
        assert!(matches!(inputs[..], [Input::Earlier { .. }, Input::Data { .. }]));
        let mut inputs = vec![said("hi")];
        as_earlier(&mut inputs, Timestamp::from_secs(1));
        assert_eq!(inputs, [said("hi")]);
    }
}
