//! Start and shutdown of an emulator instance.

use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, middleware::from_fn_with_state, routing::get};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    config::{Config, Exposure},
    connection::{AbortableListener, ConnectionAborter},
    control,
    driver::Driver,
    graph, guard,
    state::State,
    webhooks::{Target, client},
};

pub use crate::driver::Quiescence;

/// Time that open connections get to finish during a shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// Reason for a failed start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken or does not belong to this machine.
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: io::Error },
    /// The callback is not an http address, or not a loopback one.
    #[error("{0}")]
    Callback(String),

    #[error("cannot build the HTTP client for webhooks")]
    Client(#[from] reqwest::Error),
}

/// A running emulator. Dropping it stops it at once; [`Emulator::shutdown`] finishes open requests.
pub struct Emulator {
    address: SocketAddr,
    driver: Arc<Driver>,
    server: JoinHandle<()>,
}

/// Starts an emulator on its own listener. A configured callback need not answer yet.
pub async fn start(config: Config) -> Result<Emulator, Error> {
    let target = match config.callback_url.as_deref() {
        None => None,
        Some(url) => {
            let target = Target::parse(url, config.allow_remote_callback);
            Some(target.map_err(|error| Error::Callback(error.to_string()))?)
        }
    };
    let listen_error = |source| Error::Listen { address: config.listen, source };
    let listener = TcpListener::bind(config.listen).await.map_err(listen_error)?;
    let address = listener.local_addr().map_err(listen_error)?;
    let state = State::new(&config, target);
    let driver = Arc::new(Driver::new(state, client()?, config.allow_remote_callback));
    tokio::spawn(Arc::clone(&driver).drive());
    let server = tokio::spawn(serve(listener, Arc::clone(&driver), config.exposure));
    tracing::info!(%address, seed = config.seed, clock = ?config.clock, "emulator is listening");
    Ok(Emulator { address, driver, server })
}

async fn serve(listener: TcpListener, driver: Arc<Driver>, exposure: Exposure) {
    let stop = driver.stop.clone();
    let app = Router::new()
        .nest("/_emulator/v1", control::router())
        .route("/_emulator/media/{token}", get(graph::media_bytes))
        .fallback(graph::serve)
        .layer(from_fn_with_state(Arc::new(exposure), guard::check))
        .with_state(driver);
    let service = app.into_make_service_with_connect_info::<ConnectionAborter>();
    let server = axum::serve(AbortableListener(listener), service).with_graceful_shutdown(stop.cancelled_owned());
    if let Err(error) = server.await {
        tracing::error!(%error, "emulator server stopped with an error");
    }
}

impl Emulator {
    /// Base URL of the Graph API. The control API is below it at `/_emulator/v1`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The control API without its listener and guard, for a server that checks its callers itself.
    pub fn control(&self) -> Router {
        control::router().with_state(Arc::clone(&self.driver))
    }

    /// Moves the clock forward and fires every timer on the way, in time order. On a manual clock
    /// each timer's deliveries are awaited. Returns the number of fired timers.
    pub async fn advance(&self, ms: u64) -> usize {
        self.driver.advance(ms).await
    }

    /// Current time of the emulator's clock in Unix milliseconds.
    pub fn now_ms(&self) -> u64 {
        self.driver.with(|state| state.clock.now())
    }

    /// Waits until no timer is due and no webhook post is open, at most for `timeout`.
    pub async fn quiesce(&self, timeout: Duration) -> Quiescence {
        self.driver.quiesce(timeout).await
    }

    /// Stops the emulator: feeds end, open webhook posts are dropped, requests get two seconds.
    pub async fn shutdown(mut self) {
        self.driver.stop.cancel();
        if tokio::time::timeout(SHUTDOWN_TIMEOUT, &mut self.server).await.is_err() {
            self.server.abort();
        }
    }
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.driver.stop.cancel();
    }
}
