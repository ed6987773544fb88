//! The old transport, HTTP with server-sent events: one stream carries all messages of the server.
//! Its first event names the URL for the client's messages.

use super::{
    connection::{Connection, Header},
    events::Events,
    failure::Failure,
    message::{self, Incoming},
    streamable::ANSWERED,
};
use crate::egress::{FailureCode, Refusal};
use serde_json::Value;
use url::Url;

#[derive(Debug)]
pub(super) struct Sse {
    connection: Connection,
    events: Events,
    endpoint: Url,
    replies: usize,
}

impl Sse {
    /// Opens the stream and waits for the URL to post to. It must be on the same server, since it
    /// receives the credentials.
    pub(super) async fn open(connection: Connection) -> Result<Self, Failure> {
        let mut events = Events::of(connection.listen(None).await?);
        while let Some(event) = events.next(&connection).await? {
            if event.name == "endpoint" {
                let endpoint = connection.url().join(event.data.trim()).map_err(|_| blocked())?;
                return Ok(Self { connection, events, endpoint, replies: 0 });
            }
        }
        Err(Failure::bad_response("the MCP server's stream names no URL to post to"))
    }

    pub(super) async fn send(&self, message: &Value, header: Option<Header>) -> Result<(), Failure> {
        self.connection.post(&self.endpoint, message, header).await.map(drop)
    }

    /// Sends a request and waits for its response, which may arrive before the POST is answered.
    pub(super) async fn request(&mut self, id: u32, request: &Value, header: Option<Header>) -> Result<Value, Failure> {
        let Self { connection, events, endpoint, replies } = self;
        let mut post = Box::pin(connection.post(endpoint, request, header));
        let mut posted = false;
        loop {
            let event = tokio::select! {
                sent = &mut post, if !posted => {
                    sent?;
                    posted = true;
                    continue;
                }
                event = events.next(connection) => event?,
            };
            let Some(event) = event else {
                return Err(Failure::bad_response("the MCP server's stream breaks off"));
            };
            if event.name != "message" {
                continue;
            }
            for message in message::read_off_worker(event.data.into_bytes()).await? {
                match message::sort(message, id) {
                    Incoming::Response(answer) => return answer,
                    Incoming::Request(reply) if *replies < ANSWERED => {
                        *replies += 1;
                        connection.reply(endpoint, &reply).await;
                    }
                    Incoming::Request(_) | Incoming::Other => {}
                }
            }
        }
    }
}

fn blocked() -> Refusal {
    Refusal {
        code: FailureCode::BlockedAddress,
        message: "the MCP server names no URL to post to that can be read".into(),
    }
}
