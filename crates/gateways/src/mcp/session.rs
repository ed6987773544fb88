//! An MCP session over either transport.

use super::{
    connection::{Connection, Header},
    failure::Failure,
    message,
    sse::Sse,
    streamable::Streamable,
};
use domain::agent::Transport;
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};

/// The requested version: the newest that begins with `initialize`.
const VERSION: &str = "2025-11-25";
/// The accepted versions. They do not differ for listing and calling tools.
const VERSIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", VERSION];
const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");

#[derive(Debug)]
pub(super) struct Session {
    channel: Channel,
    last_id: u32,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of them at a time, and it does not move")]
enum Channel {
    Streamable(Streamable),
    Sse(Sse),
}

impl Session {
    /// Opens the transport without sending a message.
    pub(super) async fn open(transport: Transport, connection: Connection) -> Result<Self, Failure> {
        let channel = match transport {
            Transport::StreamableHttp => Channel::Streamable(Streamable::new(connection)),
            Transport::Sse => Channel::Sse(Sse::open(connection).await?),
        };
        Ok(Self { channel, last_id: 0 })
    }

    /// Initializes the session and agrees on a version.
    pub(super) async fn begin(&mut self) -> Result<(), Failure> {
        let us = json!({"name": "chasqui", "version": env!("CARGO_PKG_VERSION")});
        let params = json!({"protocolVersion": VERSION, "capabilities": {}, "clientInfo": us});
        let result = self.request("initialize", params, None).await?;
        let answered = result["protocolVersion"].as_str().unwrap_or_default();
        let Some(version) = VERSIONS.into_iter().find(|version| *version == answered) else {
            return Err(Failure::bad_response(format!(
                "the MCP server speaks no version of MCP that is known here: {answered}"
            )));
        };
        let initialized = message::notification("notifications/initialized");
        match &mut self.channel {
            Channel::Streamable(streamable) => {
                streamable.connection.add_header((PROTOCOL_VERSION, HeaderValue::from_static(version)));
                streamable.send(&initialized, None).await?;
            }
            Channel::Sse(sse) => sse.send(&initialized, None).await?,
        }
        Ok(())
    }

    /// Sends a request once and waits for its response. The header is sent with this request only.
    pub(super) async fn request(
        &mut self,
        method: &str,
        params: Value,
        header: Option<Header>,
    ) -> Result<Value, Failure> {
        self.last_id += 1;
        let request = message::request(self.last_id, method, params);
        match &mut self.channel {
            Channel::Streamable(streamable) => streamable.request(self.last_id, &request, header).await,
            Channel::Sse(sse) => sse.request(self.last_id, &request, header).await,
        }
    }

    /// Ends the session and notifies the server.
    pub(super) fn close(self) {
        match self.channel {
            Channel::Streamable(streamable) => streamable.close(),
            // The stream is the session.
            Channel::Sse(_) => {}
        }
    }
}
