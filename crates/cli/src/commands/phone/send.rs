//! `chasqui phone send`: sends one message and optionally waits for answers.

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    args::SendArgs,
    client::{Control, Message, POLL_INTERVAL},
    output,
};

/// Wait after the last answer: an agent may write several messages.
const QUIET_TIME: Duration = Duration::from_secs(1);

/// Exits with 1 if `--wait` was given and no answer arrived.
pub async fn run(control: &Control, contact: &str, send: &SendArgs) -> Result<ExitCode> {
    let known = control.chat(contact).await?.answers().count();
    let id = control.send(contact, &send.text).await?;
    let answers = match send.wait {
        None => Vec::new(),
        Some(longest) => answers(control, contact, known, longest).await?,
    };
    if send.json {
        let shown: Vec<Value> = answers.iter().map(|answer| json!({"id": answer.id, "text": answer.text})).collect();
        output::json(&json!({"message_id": id, "answers": shown}))?;
    } else {
        for answer in &answers {
            output::line(output::printable(&answer.text));
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
