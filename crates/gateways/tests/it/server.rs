//! A scripted server that records its requests.

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc::UnboundedReceiver,
};

#[derive(Debug, Clone)]
pub struct Request {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn json_or_null(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// The server's reaction to a request.
pub enum Reply {
    Bytes(Vec<u8>),
    /// Sends nothing until the client disconnects.
    Hang,
    Close,
    /// Writes the first bytes once and the second repeatedly, until the client disconnects.
    Flood(Vec<u8>, Vec<u8>),
    /// Writes these bytes, then single ones with pauses, until the client disconnects.
    Drip(Vec<u8>),
    /// Writes received bytes until the channel closes or the client disconnects.
    Stream(UnboundedReceiver<Vec<u8>>),
}

/// A complete response.
pub fn http(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    let mut head = format!("HTTP/1.1 {status} Something\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("Connection: close\r\n\r\n");
    Reply::Bytes([head.as_bytes(), body].concat())
}

pub fn json(status: u16, body: &serde_json::Value) -> Reply {
    http(status, &[("Content-Type", "application/json")], body.to_string())
}

type Handler = dyn Fn(&Request) -> Reply + Send + Sync;

/// Stops listening when dropped with the test's runtime.
pub struct Server {
    pub port: u16,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub async fn start(reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let address = IpAddr::from([127, 0, 0, 1]);
        Self::on(TcpListener::bind((address, 0)).await.unwrap(), reply)
    }

    pub fn on(listener: TcpListener, reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let server =
            Self { port: listener.local_addr().unwrap().port(), connections: Arc::default(), requests: Arc::default() };
        let (connections, requests) = (server.connections.clone(), server.requests.clone());
        let reply: Arc<Handler> = Arc::new(reply);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, requests.clone(), reply.clone()));
            }
        });
        server
    }

    /// A server that closes each connection unread, for failing TLS handshakes.
    pub async fn closing() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = connections.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                // Reading first makes this a clean end instead of a reset.
                let _hello = stream.read(&mut [0; 1024]).await;
            }
        });
        Self { port, connections, requests: Arc::default() }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, requests: Arc<Mutex<Vec<Request>>>, reply: Arc<Handler>) {
    let Some(request) = read(&mut stream).await else { return };
    let reply = reply(&request);
    requests.lock().unwrap().push(request);
    match reply {
        Reply::Bytes(bytes) => {
            stream.write_all(&bytes).await.ok();
            stream.shutdown().await.ok();
            // The client may still be sending; closing under it would be a reset.
            while stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {}
        }
        Reply::Hang => while stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {},
        Reply::Close => {}
        Reply::Flood(first, again) => {
            let mut open = stream.write_all(&first).await.is_ok();
            while open {
                open = stream.write_all(&again).await.is_ok();
            }
        }
        Reply::Drip(first) => {
            let mut open = stream.write_all(&first).await.is_ok();
            let mut beat = tokio::time::interval(Duration::from_millis(20));
            while open {
                beat.tick().await;
                open = stream.write_all(b"x").await.is_ok();
            }
        }
        Reply::Stream(mut parts) => {
            let (mut client, mut stream) = stream.split();
            let gone = async { while client.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {} };
            let writing = async {
                while let Some(part) = parts.recv().await {
                    stream.write_all(&part).await.ok();
                }
            };
            tokio::select! { () = gone => {} () = writing => {} }
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|part| part == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let mut request = Request {
        line: lines.next()?.to_owned(),
        headers: lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: bytes[end + 4..].to_vec(),
    };
    let length = request.header("content-length").map_or(0, |text| text.parse().unwrap());
    while request.body.len() < length {
        if stream.read_buf(&mut request.body).await.ok()? == 0 {
            return None;
        }
    }
    Some(request)
}

/// A port without a listener.
pub async fn closed_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port()
}
