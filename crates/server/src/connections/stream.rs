//! Byte stream of a connection, with its time limits.

use super::{ConnectionLimits, admission::Connection};
use std::{
    io::{Error, ErrorKind, IoSlice, Result},
    pin::Pin,
    sync::{Arc, atomic::Ordering::Relaxed},
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, Sleep, sleep_until},
};

/// Time and bytes for what a peer still sends after its request was refused. Closing earlier would
/// reset the connection, and the peer might lose the response.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 4 * 1024 * 1024;
/// Connections that may linger at the same time; others are closed at once.
static LINGERING: Semaphore = Semaphore::const_new(32);
/// Bytes discarded before other tasks get their turn.
const SLICE: usize = 64 * 1024;

/// Ends a connection whose peer is silent, sends headers too slowly, or does not read responses.
/// Bodies have a limit of their own, `api/body.rs`; event streams have none, as they are requests
/// under way.
pub(super) struct Watched<S> {
    stream: S,
    connection: Arc<Connection>,
    limits: ConnectionLimits,
    /// Start of the headers that are being read, with the number of requests before them.
    headers: Option<(Instant, u64)>,
    /// Last byte read or written.
    last: Instant,
    /// Since when the peer reads nothing.
    stalled: Option<Instant>,
    reading: Alarm,
    writing: Alarm,
    lingering: Option<Lingering>,
    discarded: usize,
}

struct Lingering {
    until: Instant,
    _permit: SemaphorePermit<'static>,
}

/// A timer that is allocated when it is first needed.
#[derive(Default)]
struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    fn poll(&mut self, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        sleep.as_mut().poll(cx)
    }

    /// Like `poll`, but leaves a timer that runs out before `at`, so that few calls set it.
    fn poll_by(&mut self, at: Instant, now: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let set = self.0.as_ref().map(|sleep| sleep.deadline());
        self.poll(set.filter(|set| now < *set && *set < at).unwrap_or(at), cx)
    }
}

fn timed_out(cause: &'static str) -> Error {
    metrics::counter!("chasqui_connections_closed_total", "cause" => cause).increment(1);
    Error::new(ErrorKind::TimedOut, cause)
}

impl<S> Watched<S> {
    /// `began` is the time of the connection's start.
    pub(super) fn new(stream: S, connection: Arc<Connection>, limits: ConnectionLimits, began: Instant) -> Self {
        Self {
            stream,
            connection,
            limits,
            headers: Some((began, 0)),
            last: began,
            stalled: None,
            reading: Alarm::default(),
            writing: Alarm::default(),
            lingering: None,
            discarded: 0,
        }
    }

    /// Forgets headers that have been read completely.
    fn note_requests(&mut self) {
        let started = self.connection.started.load(Relaxed);
        if self.headers.is_some_and(|(_, before)| before != started) {
            self.headers = None;
        }
    }

    fn note_read(&mut self) {
        self.last = Instant::now();
        self.note_requests();
        if self.headers.is_none() && !self.connection.is_busy() {
            self.headers = Some((self.last, self.connection.started.load(Relaxed)));
        }
    }

    /// Time limit of the peer's next byte, with its name; `None` while a request is under way.
    fn read_limit(&mut self) -> Option<(Instant, &'static str)> {
        self.note_requests();
        if self.connection.is_busy() {
            return None;
        }
        Some(match self.headers {
            Some((began, _)) => (began + self.limits.headers, "slow_headers"),
            None => (self.last + self.limits.idle, "idle"),
        })
    }

    /// Waits for the time limit of the peer's next byte. The timer also runs while a request is
    /// under way, because hyper does not read again when that ends.
    fn poll_read_limit(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        loop {
            let now = Instant::now();
            let limit = self.read_limit();
            if let Some((_, cause)) = limit.filter(|(at, _)| *at <= now) {
                return Poll::Ready(timed_out(cause));
            }
            let at = limit.map_or(now + self.limits.idle, |(at, _)| at);
            ready!(self.reading.poll_by(at, now, cx));
        }
    }

    fn written(&mut self, result: Poll<Result<usize>>, cx: &mut Context<'_>) -> Poll<Result<usize>> {
        if result.is_ready() {
            self.last = Instant::now();
            self.stalled = None;
            return result;
        }
        let since = *self.stalled.get_or_insert_with(Instant::now);
        self.writing.poll(since + self.limits.stalled, cx).map(|()| Err(timed_out("unread_response")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buffer) {
            Poll::Pending => this.poll_read_limit(cx).map(Err),
            read => {
                if buffer.filled().len() > before {
                    this.note_read();
                }
                read
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.written(result, cx)
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, parts: &[IoSlice<'_>]) -> Poll<Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write_vectored(cx, parts);
        this.written(result, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    /// Ends our direction. If a request was refused before its body was read, then reads and
    /// discards what the peer still sends.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        let until = match &this.lingering {
            Some(lingering) => lingering.until,
            None => {
                ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
                if !this.connection.has_unread_body.load(Relaxed) {
                    return Poll::Ready(Ok(()));
                }
                let Ok(permit) = LINGERING.try_acquire() else { return Poll::Ready(Ok(())) };
                this.lingering.insert(Lingering { until: Instant::now() + LINGER, _permit: permit }).until
            }
        };
        let mut space = [std::mem::MaybeUninit::uninit(); 16 * 1024];
        let most = LINGER_BYTES.min(this.discarded + SLICE);
        while this.discarded < most {
            let mut buffer = ReadBuf::uninit(&mut space);
            match Pin::new(&mut this.stream).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => this.discarded += buffer.filled().len(),
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => return this.reading.poll(until, cx).map(Ok),
            }
        }
        if this.discarded >= LINGER_BYTES || Instant::now() >= until {
            return Poll::Ready(Ok(()));
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
