//! The interactive phone: lines typed are messages, what the business says appears as it comes.
//!
//! Without a terminal it reads its messages from standard input up to the end and then waits a moment for answers.

use std::{io::BufRead as _, process::ExitCode, time::Duration};

use anyhow::{Result, bail};
use serde_json::json;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::screen::{HELP, Screen, Shown};
use crate::client::{Control, Event, Message};

/// After the end of the input: this long for a first answer, and this long after the last one.
const FOR_AN_ANSWER: Duration = Duration::from_secs(10);
const QUIET: Duration = Duration::from_secs(2);
/// Messages of an earlier talk that are shown at the start.
const SHOWN_AT_START: usize = 6;

struct Phone<'c> {
    control: &'c Control,
    who: String,
    screen: Screen,
    last_answer: Option<String>,
    own: Vec<String>,
    /// Own messages that nothing has answered yet.
    unanswered: bool,
    heard_at: Instant,
}

/// Until the input ends, `/quit`, or the emulator goes away.
pub async fn run(control: &Control, who: &str) -> Result<ExitCode> {
    let key = control.person(who, &json!({})).await?;
    let mut events = control.events().await?;
    let mut phone = Phone {
        control,
        who: key,
        screen: Screen::new(),
        last_answer: None,
        own: Vec::new(),
        unanswered: false,
        heard_at: Instant::now(),
    };
    phone.screen.start(who);
    phone.show_earlier().await?;
    let mut lines = lines();
    // Set when the input has ended.
    let mut until: Option<Instant> = None;
    loop {
        let patience = phone.heard_at + if phone.unanswered { FOR_AN_ANSWER } else { QUIET };
        tokio::select! {
            line = lines.recv(), if until.is_none() => match line {
                Some(line) => if phone.typed(line.trim()).await? { break },
                None if phone.screen.is_terminal() => break,
                None => until = Some(Instant::now()),
            },
            event = events.next() => match event? {
                Some(event) => phone.happened(&event),
                None => bail!("the emulator has stopped"),
            },
            () = sleep_until(patience), if until.is_some() => break,
        }
    }
    phone.screen.end();
    Ok(ExitCode::SUCCESS)
}

impl Phone<'_> {
    async fn show_earlier(&mut self) -> Result<()> {
        let messages = self.control.chat(&self.who).await?.messages;
        self.last_answer = messages.iter().rev().find(|message| message.is_answer).map(|message| message.id.clone());
        // A script wants what happens now.
        let shown = if self.screen.is_terminal() { SHOWN_AT_START } else { 0 };
        for message in messages.iter().skip(messages.len().saturating_sub(shown)) {
            self.screen.show(Shown::of(message));
        }
        Ok(())
    }

    /// True when it is time to leave. A message that cannot be sent is no reason to.
    async fn typed(&mut self, line: &str) -> Result<bool> {
        match line {
            "" => self.screen.prompt(),
            "/quit" | "/q" | "/exit" => return Ok(true),
            "/help" | "/?" => self.screen.show(Shown::Note(HELP)),
            "/read" => self.read().await,
            unknown if unknown.starts_with('/') && !unknown.contains(' ') => {
                self.screen.show(Shown::Note("no such command; /help lists them"));
            }
            text => match self.control.write(&self.who, text).await {
                Ok(id) => {
                    self.own.push(id);
                    self.unanswered = true;
                    self.heard_at = Instant::now();
                    self.screen.sent(text);
                }
                Err(error) => self.screen.show(Shown::Note(&format!("not sent: {error:#}"))),
            },
        }
        Ok(false)
    }

    async fn read(&mut self) {
        let note = match &self.last_answer {
            None => "there is nothing to read yet".to_owned(),
            Some(id) => match self.control.read(&self.who, id).await {
                Ok(()) => "read".to_owned(),
                Err(error) => format!("{error:#}"),
            },
        };
        self.screen.show(Shown::Note(&note));
    }

    fn happened(&mut self, event: &Event) {
        if event.body["user"] != self.who.as_str() {
            return;
        }
        match event.name.as_str() {
            "message" => {
                let message = Message::read(&event.body["message"]);
                if self.own.contains(&message.id) {
                    return;
                }
                if message.is_answer {
                    self.last_answer = Some(message.id.clone());
                    self.unanswered = false;
                    self.heard_at = Instant::now();
                }
                self.screen.show(Shown::of(&message));
            }
            "status" => self.status(event),
            "typing" if event.body["typing"] == true => self.screen.show(Shown::Typing),
            _ => {}
        }
    }

    /// The business read what was written; or one of its messages did not arrive.
    fn status(&self, event: &Event) {
        let is_own = event.body["message_id"].as_str().is_some_and(|id| self.own.iter().any(|own| own == id));
        let status = event.body["status"]["status"].as_str().unwrap_or_default();
        match status {
            "read" if is_own => self.screen.show(Shown::Read),
            "failed" => {
                let reason = event.body["status"]["error"]["title"].as_str().unwrap_or("no reason given");
                self.screen.show(Shown::Note(&format!("a message of the business failed: {reason}")));
            }
            _ => {}
        }
    }
}

/// Lines of standard input. A thread of its own, because reading cannot be cancelled: it must not keep the program from
/// ending.
fn lines() -> mpsc::UnboundedReceiver<String> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
