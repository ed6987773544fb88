//! Interactive phone: typed lines are sent as messages, messages of the business are shown live.
//!
//! Without a terminal it sends all lines of standard input and then waits for answers.

use std::{io::BufRead as _, path::Path, process::ExitCode, time::Duration};

use anyhow::{Result, bail};
use serde_json::json;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::{
    file,
    screen::{HELP, Screen, Shown},
};
use crate::client::{Control, Event, Message};

/// Wait for a first answer after the end of the input.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Wait for more messages after the last answer.
const QUIET_TIME: Duration = Duration::from_secs(2);
/// Earlier messages that are shown at the start.
const SHOWN_AT_START: usize = 6;

struct Phone<'c> {
    control: &'c Control,
    contact: String,
    screen: Screen,
    last_answer: Option<String>,
    /// Latest message with buttons or a list.
    choices: Option<Message>,
    own: Vec<String>,
    /// True while the latest own message has no answer.
    unanswered: bool,
    last_activity: Instant,
}

/// Runs until the input ends, `/quit`, or the emulator stops.
pub async fn run(control: &Control, contact: &str) -> Result<ExitCode> {
    let key = control.ensure_contact(contact, &json!({})).await?;
    let mut events = control.events().await?;
    let mut phone = Phone {
        control,
        contact: key,
        screen: Screen::new(),
        last_answer: None,
        choices: None,
        own: Vec::new(),
        unanswered: false,
        last_activity: Instant::now(),
    };
    phone.screen.start(contact);
    phone.show_earlier().await?;
    let mut lines = lines();
    // Set when the input has ended.
    let mut until: Option<Instant> = None;
    loop {
        let deadline = phone.last_activity + if phone.unanswered { ANSWER_TIMEOUT } else { QUIET_TIME };
        tokio::select! {
            line = lines.recv(), if until.is_none() => match line {
                Some(line) => if phone.handle_line(line.trim()).await? { break },
                None if phone.screen.is_terminal() => break,
                None => until = Some(Instant::now()),
            },
            event = events.next() => match event? {
                Some(event) => phone.handle_event(&event),
                None => bail!("the emulator has stopped"),
            },
            () = sleep_until(deadline), if until.is_some() => break,
        }
    }
    phone.screen.end();
    Ok(ExitCode::SUCCESS)
}

impl Phone<'_> {
    async fn show_earlier(&mut self) -> Result<()> {
        let messages = self.control.chat(&self.contact).await?.messages;
        self.last_answer = messages.iter().rev().find(|message| message.is_answer).map(|message| message.id.clone());
        self.choices = messages.iter().rfind(|message| !message.choices.is_empty()).cloned();
        // Scripts only need new messages.
        let shown = if self.screen.is_terminal() { SHOWN_AT_START } else { 0 };
        for message in messages.iter().skip(messages.len().saturating_sub(shown)) {
            self.screen.show(Shown::of(message));
        }
        Ok(())
    }

    /// Handles a typed line. Returns true to quit. A failed send is shown and does not quit.
    async fn handle_line(&mut self, line: &str) -> Result<bool> {
        match line {
            "" => self.screen.prompt(),
            "/quit" | "/q" | "/exit" => return Ok(true),
            "/help" | "/?" => self.screen.show(Shown::Note(HELP)),
            "/read" => self.read().await,
            tap if tap == "/tap" || tap.starts_with("/tap ") => {
                let done = self.tap(tap.trim_start_matches("/tap").trim()).await;
                self.sent(done);
            }
            file if file.starts_with("/file ") => {
                let done = self.file(file.trim_start_matches("/file ").trim()).await;
                self.sent(done);
            }
            "/delete" => {
                let done = self.change("delete", None).await;
                self.changed(done, "deleted");
            }
            edit if edit.starts_with("/edit ") => {
                let done = self.change("edit", Some(edit.trim_start_matches("/edit ").trim())).await;
                self.changed(done, "edited");
            }
            unknown if unknown.starts_with('/') && !unknown.contains(' ') => {
                self.screen.show(Shown::Note("unknown command; /help lists the commands"));
            }
            text => {
                let done = self.control.send(&self.contact, text).await.map(|id| (id, text.to_owned()));
                self.sent(done);
            }
        }
        Ok(false)
    }

    /// Shows a message that was sent, or the reason why it was not.
    fn sent(&mut self, done: Result<(String, String)>) {
        match done {
            Ok((id, text)) => {
                self.own.push(id);
                self.unanswered = true;
                self.last_activity = Instant::now();
                self.screen.sent(&text);
            }
            Err(error) => self.screen.show(Shown::Note(&format!("not sent: {error:#}"))),
        }
    }

    /// Taps a choice of the latest message that has some. Returns id and text of the tap.
    async fn tap(&self, named: &str) -> Result<(String, String)> {
        let Some(message) = &self.choices else { bail!("no message has a button or a list") };
        let Some(choice) = message.choice(named) else {
            bail!("there is no such choice; give the number or the title of one");
        };
        let id = self.control.tap(&self.contact, &message.id, choice).await?;
        Ok((id, choice.to_owned()))
    }

    /// Sends a file: its path, and a caption after the first space. Returns id and text.
    async fn file(&self, words: &str) -> Result<(String, String)> {
        let (path, caption) = words.split_once(' ').map_or((words, None), |(path, rest)| (path, Some(rest.trim())));
        let file = file::read(Path::new(path), caption)?;
        let text = format!("[{}] {}", file.kind, file.filename);
        Ok((self.control.send_file(&self.contact, &file).await?, text))
    }

    /// Edits or deletes this contact's latest message.
    async fn change(&self, action: &str, text: Option<&str>) -> Result<()> {
        let messages = self.control.chat(&self.contact).await?.messages;
        let Some(own) = messages.iter().rfind(|message| !message.is_answer) else { bail!("there is no own message") };
        self.control.change(&self.contact, &own.id, action, text).await
    }

    /// Shows that a message was changed, or the reason why it was not. An edit may be answered.
    fn changed(&mut self, done: Result<()>, what: &str) {
        match done {
            Ok(()) => {
                self.last_activity = Instant::now();
                self.screen.show(Shown::Note(what));
            }
            Err(error) => self.screen.show(Shown::Note(&format!("not {what}: {error:#}"))),
        }
    }

    async fn read(&mut self) {
        let note = match &self.last_answer {
            None => "there is nothing to read yet".to_owned(),
            Some(id) => match self.control.read(&self.contact, id).await {
                Ok(()) => "read".to_owned(),
                Err(error) => format!("{error:#}"),
            },
        };
        self.screen.show(Shown::Note(&note));
    }

    fn handle_event(&mut self, event: &Event) {
        let is_other_number = event.body["phone_number_id"].as_str().is_some_and(|id| id != self.control.number());
        if event.body["user"] != self.contact.as_str() || is_other_number {
            return;
        }
        match event.name.as_str() {
            "message" => {
                let message = Message::read(&event.body["message"]);
                if self.own.contains(&message.id) {
                    return;
                }
                if !message.choices.is_empty() {
                    self.choices = Some(message.clone());
                }
                if message.is_answer {
                    self.last_answer = Some(message.id.clone());
                    self.unanswered = false;
                    self.last_activity = Instant::now();
                }
                self.screen.show(Shown::of(&message));
            }
            "status" => self.status(event),
            "typing" if event.body["typing"] == true => self.screen.show(Shown::Typing),
            _ => {}
        }
    }

    /// Shows read receipts of own messages and failed messages of the business.
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

/// Lines of standard input. They are read on a separate thread, because reading cannot be cancelled
/// and must not keep the program from exiting.
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
