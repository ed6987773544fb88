//! Streamable HTTP: each message is a POST. Its response is JSON, or a stream of events that ends
//! with the response.
//!
//! The optional stream for unsolicited messages of the server is not opened: none of them is
//! needed.

use super::{
    connection::{Connection, Header, is},
    events::Events,
    failure::Failure,
    message::{self, Incoming},
};
use reqwest::{
    Response,
    header::{HeaderName, HeaderValue},
};
use serde_json::Value;
use std::time::Duration;

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");
/// Delay before resuming a stream, unless the server names one.
const RETRY: Duration = Duration::from_secs(1);
/// The most requests of a server that are answered in one session.
pub(super) const ANSWERED: usize = 16;

#[derive(Debug)]
pub(super) struct Streamable {
    pub(super) connection: Connection,
    in_session: bool,
    replies: usize,
}

impl Streamable {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, in_session: false, replies: 0 }
    }

    pub(super) async fn send(&mut self, message: &Value, header: Option<Header>) -> Result<Response, Failure> {
        let response = self.connection.post(&self.connection.url().clone(), message, header).await?;
        if !self.in_session
            && let Some(id) = response.headers().get(SESSION)
        {
            self.connection.add_header((SESSION, id.clone()));
            self.in_session = true;
        }
        Ok(response)
    }

    pub(super) async fn request(&mut self, id: u32, request: &Value, header: Option<Header>) -> Result<Value, Failure> {
        let response = self.send(request, header).await?;
        if is(&response, "text/event-stream") {
            return self.follow(id, response).await;
        }
        if !is(&response, "application/json") {
            return Err(Failure::bad_response("the MCP server answers neither with JSON nor with a stream of events"));
        }
        let text = self.connection.read_all(response).await?;
        self.response_in(id, text).await?.unwrap_or_else(|| Err(Failure::bad_response("the MCP server gave no answer")))
    }

    /// Reads a stream until the response arrives. Resumes a broken stream if the server supports
    /// it, which does not repeat the request.
    async fn follow(&mut self, id: u32, response: Response) -> Result<Value, Failure> {
        let mut events = Events::of(response);
        let mut resume = None;
        loop {
            while let Some(event) = events.next(&self.connection).await? {
                if event.name == "message"
                    && let Some(answer) = self.response_in(id, event.data.into_bytes()).await?
                {
                    return answer;
                }
            }
            resume = events.resume_at().map(|(at, wait)| (at.to_owned(), wait)).or(resume);
            let at =
                resume.as_ref().and_then(|(at, wait)| Some((HeaderValue::from_str(at).ok()?, wait.unwrap_or(RETRY))));
            let Some((at, wait)) = at else {
                return Err(Failure::bad_response("the MCP server's answer breaks off"));
            };
            self.connection.pause(wait.max(Duration::from_millis(100))).await?;
            events = Events::of(self.connection.listen(Some((LAST_EVENT, at))).await?);
        }
    }

    /// Finds the response among messages. Replies to requests of the server.
    async fn response_in(&mut self, id: u32, text: Vec<u8>) -> Result<Option<Result<Value, Failure>>, Failure> {
        for message in message::read_off_worker(text).await? {
            match message::sort(message, id) {
                Incoming::Response(answer) => return Ok(Some(answer)),
                Incoming::Request(reply) if self.replies < ANSWERED => {
                    self.replies += 1;
                    self.connection.reply(self.connection.url(), &reply).await;
                }
                Incoming::Request(_) | Incoming::Other => {}
            }
        }
        Ok(None)
    }

    pub(super) fn close(self) {
        if self.in_session {
            self.connection.end_session();
        }
    }
}
