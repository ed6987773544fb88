//! Connections that a fault can cut in the middle of a request.
//!
//! Transport faults must show the client a broken connection instead of an answer. Each accepted
//! socket has a switch. Once it is set, the next write fails, the server drops the connection, and
//! the socket closes with a reset.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

/// Switch that cuts its connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConnectionAborter(Arc<AtomicBool>);

impl ConnectionAborter {
    /// Cuts the connection: no more bytes reach the peer.
    pub(crate) fn abort(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn is_aborted(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Connected<IncomingStream<'_, AbortableListener>> for ConnectionAborter {
    fn connect_info(stream: IncomingStream<'_, AbortableListener>) -> Self {
        stream.io().aborter.clone()
    }
}

/// Listener whose connections have a [`ConnectionAborter`].
pub(crate) struct AbortableListener(pub(crate) TcpListener);

impl Listener for AbortableListener {
    type Io = AbortableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (AbortableStream, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Without it small answers wait for acknowledgements. A failure only costs time.
        let _ = stream.set_nodelay(true);
        let aborter = ConnectionAborter::default();
        (AbortableStream { stream, aborter }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A socket with a [`ConnectionAborter`].
pub(crate) struct AbortableStream {
    stream: TcpStream,
    aborter: ConnectionAborter,
}

impl AbortableStream {
    fn check(&self) -> io::Result<()> {
        if !self.aborter.is_aborted() {
            return Ok(());
        }
        // Zero linger turns the close into a reset.
        let _ = self.stream.set_zero_linger();
        Err(io::Error::new(io::ErrorKind::ConnectionReset, "cut by a fault rule"))
    }
}

impl AsyncRead for AbortableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for AbortableStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
