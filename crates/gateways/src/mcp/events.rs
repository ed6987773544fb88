//! Reads server-sent events from a response.

use super::{connection::Connection, failure::Failure};
use bytes::Bytes;
use reqwest::Response;
use std::{collections::VecDeque, mem, time::Duration};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// `message` by default.
    pub(super) name: String,
    /// Never empty.
    pub(super) data: String,
}

/// The events of one response.
#[derive(Debug)]
pub(super) struct Events {
    response: Response,
    parser: Parser,
    ready: VecDeque<Event>,
}

impl Events {
    pub(super) fn of(response: Response) -> Self {
        Self { response, parser: Parser::default(), ready: VecDeque::new() }
    }

    /// The next event; none when the stream ends or breaks off. Cancel-safe.
    pub(super) async fn next(&mut self, connection: &Connection) -> Result<Option<Event>, Failure> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            match connection.read(&mut self.response).await? {
                Some(bytes) => self.ready.extend(self.parser.take(&bytes)),
                None => return Ok(None),
            }
        }
    }

    /// The id to resume a broken stream at and the delay that the server asks for, if it sent an
    /// id.
    pub(super) fn resume_at(&self) -> Option<(&str, Option<Duration>)> {
        Some((self.parser.last_id.as_deref()?, self.parser.retry))
    }
}

/// Lines end with LF, CR or both; an event ends with an empty line.
#[derive(Debug, Default)]
struct Parser {
    line: Vec<u8>,
    after_cr: bool,
    name: String,
    data: String,
    last_id: Option<String>,
    retry: Option<Duration>,
}

impl Parser {
    fn take(&mut self, bytes: &Bytes) -> Vec<Event> {
        let mut events = Vec::new();
        for &byte in bytes {
            let second_half = byte == b'\n' && self.after_cr;
            self.after_cr = byte == b'\r';
            match byte {
                _ if second_half => {}
                b'\n' | b'\r' => events.extend(self.end_line()),
                _ => self.line.push(byte),
            }
        }
        events
    }

    fn end_line(&mut self) -> Option<Event> {
        let line = mem::take(&mut self.line);
        let line = String::from_utf8_lossy(line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line)).into_owned();
        if line.is_empty() {
            return self.end_event();
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => self.last_id = Some(value.to_owned()).filter(|id| !id.is_empty()),
            "retry" => self.retry = value.parse().ok().map(Duration::from_millis),
            _ => {}
        }
        None
    }

    fn end_event(&mut self) -> Option<Event> {
        let name = Some(mem::take(&mut self.name)).filter(|name| !name.is_empty());
        let mut data = mem::take(&mut self.data);
        data.pop();
        let name = name.unwrap_or_else(|| "message".into());
        (!data.trim().is_empty()).then_some(Event { name, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_survive_any_chunking() {
        let text = "\u{feff}: hello\nid: 7\ndata\n\nevent: endpoint\r\ndata: /a\r\n\r\ndata:1\rdata:  2\r\rretry: 90\nother: x\n\
                    data: é\n\ndata: never ended";
        let event = |name: &str, data: &str| Event { name: name.into(), data: data.into() };
        let expected = [event("endpoint", "/a"), event("message", "1\n 2"), event("message", "é")];
        for size in 1..text.len() {
            let mut parser = Parser::default();
            let found: Vec<_> =
                text.as_bytes().chunks(size).map(Bytes::copy_from_slice).flat_map(|part| parser.take(&part)).collect();
            assert_eq!(found, expected, "{size}");
            assert_eq!((parser.last_id.as_deref(), parser.retry), (Some("7"), Some(Duration::from_millis(90))));
        }
    }
}
