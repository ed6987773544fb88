//! Live feed of the emulator, from server-sent events.

use anyhow::{Context as _, Result};
use serde_json::Value;

pub struct Events {
    response: reqwest::Response,
    received: Vec<u8>,
}

/// Event on a phone.
#[derive(Debug, PartialEq, Eq)]
pub struct Event {
    /// `message`, `status` or `typing`.
    pub name: String,

    pub body: Value,
}

impl Events {
    pub(super) const fn new(response: reqwest::Response) -> Self {
        Self { response, received: Vec::new() }
    }

    /// Waits for the next event; `None` when the emulator ends the feed. Cancel-safe.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            while let Some(block) = take_block(&mut self.received) {
                if let Some(event) = read_block(&block) {
                    return Ok(Some(event));
                }
            }
            let chunk = self.response.chunk().await.map_err(reqwest::Error::without_url);
            match chunk.context("the connection to the emulator's feed was lost")? {
                Some(bytes) => self.received.extend_from_slice(&bytes),
                None => return Ok(None),
            }
        }
    }
}

/// Removes the text up to the first empty line.
fn take_block(received: &mut Vec<u8>) -> Option<String> {
    let end = received.windows(2).position(|two| two == b"\n\n")?;
    let block: Vec<u8> = received.drain(..end + 2).collect();
    Some(String::from_utf8_lossy(&block).into_owned())
}

/// Parses an event; `None` for comments, which only keep the connection open.
fn read_block(block: &str) -> Option<Event> {
    let mut name = "message";
    let mut data = String::new();
    for line in block.lines() {
        if let Some(value) = line.strip_prefix("event:") {
            name = value.trim();
        } else if let Some(value) = line.strip_prefix("data:") {
            data.push_str(value.trim_start());
        }
    }
    let body = serde_json::from_str(&data).ok()?;
    Some(Event { name: name.to_owned(), body })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn events_end_at_empty_lines_and_comments_are_skipped() {
        let mut received = b": keep\n\nevent: typing\ndata: {\"typing\":true}\n\nevent: mess".to_vec();
        assert_eq!(read_block(&take_block(&mut received).unwrap()), None);
        let event = read_block(&take_block(&mut received).unwrap()).unwrap();
        assert_eq!(event, Event { name: "typing".to_owned(), body: json!({"typing": true}) });
        assert_eq!(take_block(&mut received), None);
        assert_eq!(received, b"event: mess");
    }
}
