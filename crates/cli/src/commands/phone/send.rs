//! `chasqui phone send`, `tap` and `file`: send one message and optionally wait for answers.

use std::{process::ExitCode, time::Duration};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::file;
use crate::{
    args::{AnswerArgs, FileArgs, SendArgs, TapArgs},
    client::{Control, Message, POLL_INTERVAL},
    output,
};

/// Wait after the last answer: an agent may write several messages.
const QUIET_TIME: Duration = Duration::from_secs(1);

pub async fn text(control: &Control, contact: &str, send: &SendArgs) -> Result<ExitCode> {
    let known = control.chat(contact).await?.answers().count();
    let id = control.send(contact, &send.text).await?;
    report(control, contact, (known, id), &send.answers).await
}

pub async fn tap(control: &Control, contact: &str, tap: &TapArgs) -> Result<ExitCode> {
    let chat = control.chat(contact).await?;
    let message = chat.answers().rfind(|message| !message.choices.is_empty());
    let message = message.context("no message has a button or a list")?;
    let missing = || format!("the message has no choice {}; it has {}", tap.choice, message.choices.join(", "));
    let choice = message.choice(&tap.choice).with_context(missing)?;
    let id = control.tap(contact, &message.id, choice).await?;
    report(control, contact, (chat.answers().count(), id), &tap.answers).await
}

pub async fn file(control: &Control, contact: &str, send: &FileArgs) -> Result<ExitCode> {
    let file = file::read(&send.path, send.caption.as_deref())?;
    let known = control.chat(contact).await?.answers().count();
    let id = control.send_file(contact, &file).await?;
    report(control, contact, (known, id), &send.answers).await
}

/// Prints the answers to a message, which follow the `known` ones. Exits with 1 if `--wait` was
/// given and none arrived.
async fn report(control: &Control, contact: &str, (known, id): (usize, String), send: &AnswerArgs) -> Result<ExitCode> {
    let answers = match send.wait {
        None => Vec::new(),
        Some(longest) => answers(control, contact, known, longest).await?,
    };
    if send.json {
        let answers: Vec<Value> = answers.iter().map(shown).collect();
        output::json(&json!({"message_id": id, "answers": answers}))?;
    } else {
        for answer in &answers {
            output::line(output::printable(&answer.with_choices()));
        }
        if send.wait.is_none() {
            output::line(format_args!("sent {id}"));
        }
    }
    let Some(longest) = send.wait else { return Ok(ExitCode::SUCCESS) };
    if answers.is_empty() {
        if !send.json {
            output::note(format_args!("no answer within {} s", longest.as_secs_f64()));
        }
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(answer: &Message) -> Value {
    let mut shown = json!({"id": answer.id, "text": answer.text});
    if !answer.choices.is_empty() {
        shown["choices"] = json!(answer.choices);
    }
    shown
}

/// Collects the answers after the first `known` ones, until no more arrive or the time is over.
async fn answers(control: &Control, contact: &str, known: usize, longest: Duration) -> Result<Vec<Message>> {
    let end = Instant::now() + longest;
    let mut new: Vec<Message> = Vec::new();
    let mut last_change = Instant::now();
    loop {
        let now: Vec<Message> = control.chat(contact).await?.answers().skip(known).cloned().collect();
        if now.len() > new.len() {
            new = now;
            last_change = Instant::now();
        }
        let is_quiet = !new.is_empty() && last_change.elapsed() >= QUIET_TIME;
        if is_quiet || Instant::now() >= end {
            return Ok(new);
        }
        sleep(POLL_INTERVAL).await;
    }
}
