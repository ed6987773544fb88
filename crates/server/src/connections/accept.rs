//! Accepts connections and serves HTTP/1 on them.

use super::{
    ConnectionLimits,
    admission::{Admission, Admitted, Busy, Connection},
    stream::Watched,
};
use crate::api::client_address::ClientAddress;
use axum::{Router, body::Body};
use bytes::Bytes;
use hyper::{
    Request,
    body::{Body as HttpBody, Frame, Incoming, SizeHint},
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use std::{
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering::Relaxed},
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{Instant, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Buffer of a connection: room for all allowed headers. Larger ones are answered 431 by hyper.
const BUFFER: usize = 32 * 1024;
/// Time in which a refused peer may read its answer.
const REFUSAL: Duration = Duration::from_millis(500);
/// Refused peers that get an answer at the same time; others are only closed.
const REFUSALS: usize = 64;
/// Pause after a failed accept, as when no file is left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
/// Time that a silent connection may still send a request in after a stop is ordered.
const STOP_GRACE: Duration = Duration::from_millis(250);

const REFUSED: &str = concat!(
    "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\nconnection: close\r\n",
    "content-length: 151\r\n\r\n",
    r#"{"error":"Too many connections","message":"close unused connections, or try again in a moment","#,
    r#""code":"too_many_connections","status":503,"details":[]}"#,
);

/// The same for all connections of a listener.
struct Listener {
    admission: Arc<Admission>,
    router: TowerToHyperService<Router>,
    stop: CancellationToken,
}

/// Serves until `stop`, then ends idle connections and finishes requests under way.
pub(crate) async fn serve(socket: TcpListener, router: Router, limits: ConnectionLimits, stop: CancellationToken) {
    let (admission, router) = (Admission::new(limits), TowerToHyperService::new(router));
    let listener = Arc::new(Listener { admission, router, stop });
    let refusals = Arc::new(Semaphore::new(REFUSALS));
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            () = listener.stop.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(%error, "accept failed");
                listener.admission.free_one();
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        match listener.admission.admit(peer.ip()) {
            Ok(admitted) => {
                connections.spawn(serve_one(stream, peer, admitted, listener.clone()));
            }
            Err(_) => {
                if let Ok(permit) = refusals.clone().try_acquire_owned() {
                    tokio::spawn(async move {
                        let _ = timeout(REFUSAL, refuse(stream)).await;
                        drop(permit);
                    });
                }
            }
        }
    }
    drop(socket);
    connections.close();
    connections.wait().await;
}

/// Answers 503, then waits until the peer closes: closing with unread bytes would reset the
/// connection, and the answer could be lost.
async fn refuse(mut stream: TcpStream) -> std::io::Result<()> {
    stream.write_all(REFUSED.as_bytes()).await?;
    stream.shutdown().await?;
    let mut space = [0; 4 * 1024];
    for _ in 0..64 {
        if stream.read(&mut space).await? == 0 {
            break;
        }
    }
    Ok(())
}

async fn serve_one(stream: TcpStream, peer: SocketAddr, admitted: Admitted, listener: Arc<Listener>) {
    let began = Instant::now();
    // Nothing is allocated for HTTP before the first byte: most silent connections stay silent. Not
    // `readable`, which at first takes every connection for readable.
    let mut first = [0];
    let sent = tokio::select! {
        sent = timeout(listener.admission.limits.headers, stream.peek(&mut first)) => sent.is_ok(),
        () = admitted.gives_way() => return,
        () = stopped(&listener.stop) => return,
    };
    if sent {
        Box::pin(http(stream, peer, began, admitted, &listener)).await;
    } else {
        metrics::counter!("chasqui_connections_closed_total", "cause" => "slow_headers").increment(1);
    }
}

/// Completes when a connection may no longer send its first request.
async fn stopped(stop: &CancellationToken) {
    stop.cancelled().await;
    sleep(STOP_GRACE).await;
}

/// Serves HTTP/1 until the connection ends.
async fn http<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    peer: SocketAddr,
    began: Instant,
    admitted: Admitted,
    listener: &Listener,
) {
    let connection = &admitted.connection;
    let stream = Watched::new(stream, connection.clone(), listener.admission.limits.clone(), began);
    let service = service_fn(|request: Request<Incoming>| {
        let busy = admitted.begin();
        let body = |body| Body::new(RequestBody { body, connection: connection.clone(), ended: false });
        let mut request = request.map(body);
        let client = ClientAddress::of(peer.ip(), request.headers(), &listener.admission.limits.proxies);
        request.extensions_mut().insert(client);
        let response = listener.router.call(request);
        async move { response.await.map(|response| response.map(|body| ResponseBody { body, _busy: busy })) }
    });
    // Headers are limited by `Watched`, apart from the time between requests.
    let mut builder = http1::Builder::new();
    builder.max_buf_size(BUFFER).header_read_timeout(None);
    let mut serving = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let (mut stopping, mut gives_way) = (false, false);
    loop {
        tokio::select! {
            // An error is the peer's, or a time limit that has been counted.
            _ = serving.as_mut() => return,
            () = admitted.gives_way(), if !gives_way => {
                if !connection.is_busy() {
                    return;
                }
                gives_way = true;
                serving.as_mut().graceful_shutdown();
            }
            () = listener.stop.cancelled(), if !stopping => {
                stopping = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}

/// Notes when a body is dropped before its end.
struct RequestBody {
    body: Incoming,
    connection: Arc<Connection>,
    ended: bool,
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.ended |= frame.is_none();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if !self.ended && !self.body.is_end_stream() {
            self.connection.has_unread_body.store(true, Relaxed);
        }
    }
}

/// Keeps the request under way until its response was passed on.
struct ResponseBody {
    body: Body,
    _busy: Busy,
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use futures::{StreamExt as _, stream};
    use tokio::io::{DuplexStream, duplex};

    const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

    /// Sends an event every ten minutes, like an event stream with keep-alive comments, but slower.
    async fn slow_events() -> Body {
        Body::from_stream(stream::iter(0..3).then(|_| async {
            sleep(Duration::from_secs(600)).await;
            Ok::<_, std::convert::Infallible>("event\n")
        }))
    }

    async fn large() -> Vec<u8> {
        vec![b'x'; 1024 * 1024]
    }

    /// Serves one connection in memory. The clock stands still except in waits.
    fn connect() -> (DuplexStream, tokio::task::JoinHandle<Duration>) {
        let (client, stream) = duplex(1_024);
        let routes =
            Router::new().route("/", get(async || "ok")).route("/events", get(slow_events)).route("/large", get(large));
        let (admission, stop) = (Admission::new(ConnectionLimits::DEFAULT), CancellationToken::new());
        let Ok(admitted) = admission.admit(PEER.ip()) else { panic!("no room") };
        let listener = Listener { admission, router: TowerToHyperService::new(routes), stop };
        let serving = tokio::spawn(async move {
            let began = Instant::now();
            http(stream, PEER, began, admitted, &listener).await;
            began.elapsed()
        });
        (client, serving)
    }

    #[tokio::test(start_paused = true)]
    async fn slow_headers_end_the_connection_after_ten_seconds() {
        let (_silent, serving) = connect();
        assert_eq!(serving.await.unwrap(), Duration::from_secs(10));
        let (mut client, serving) = connect();
        let trickle = async {
            client.write_all(b"GET / HTTP/1.1\r\nx-long: ").await.unwrap();
            while client.write_all(b"a").await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
        };
        let (took, ()) = tokio::join!(serving, trickle);
        assert_eq!(took.unwrap(), Duration::from_secs(10));
    }

    #[tokio::test(start_paused = true)]
    async fn idle_connection_ends_after_a_minute_and_slow_headers_before() {
        let request = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
        let (mut client, serving) = connect();
        client.write_all(request).await.unwrap();
        sleep(Duration::from_secs(50)).await;
        client.write_all(request).await.unwrap();
        assert_eq!(serving.await.unwrap(), Duration::from_secs(110));
        let (mut client, serving) = connect();
        client.write_all(request).await.unwrap();
        sleep(Duration::from_secs(50)).await;
        client.write_all(b"GET / HT").await.unwrap();
        assert_eq!(serving.await.unwrap(), Duration::from_secs(60), "ten seconds from the first byte");
    }

    #[tokio::test(start_paused = true)]
    async fn event_stream_has_no_time_limit() {
        let (mut client, serving) = connect();
        client.write_all(b"GET /events HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut text = String::new();
        client.read_to_string(&mut text).await.unwrap();
        assert_eq!(text.matches("event\n").count(), 3, "{text}");
        assert_eq!(serving.await.unwrap(), Duration::from_secs(1_800));
    }

    #[tokio::test(start_paused = true)]
    async fn peer_that_reads_no_response_is_disconnected() {
        let (mut client, serving) = connect();
        client.write_all(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut space = [0; 100];
        sleep(Duration::from_secs(20)).await;
        client.read_exact(&mut space).await.unwrap();
        assert_eq!(serving.await.unwrap(), Duration::from_secs(50), "30 s after the last byte was taken");
    }

    #[test]
    fn refusal_has_the_length_that_it_states() {
        let (head, body) = REFUSED.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("content-length: {}", body.len())));
        assert!(serde_json::from_str::<serde_json::Value>(body).is_ok());
    }
}
