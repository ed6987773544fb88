//! Starting, holding and stopping an emulator.

use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, routing::get};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    config::Config,
    connection::{CuttableListener, Cutter},
    control, graph,
    driver::Runtime,
    state::State,
    webhooks::{Target, client},
};

pub use crate::driver::Quiescence;

/// How long open connections may take to end.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(2);

/// Why the emulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The callback is not an http address, or not a loopback one.
    #[error("{0}")]
    Callback(String),
    /// The HTTP client could not be built.
    #[error("cannot build the HTTP client for webhooks")]
    Client(#[from] reqwest::Error),
}

/// A running emulator. Dropping it stops it at once; [`Emulator::shutdown`] lets it finish.
pub struct Emulator {
    address: SocketAddr,
    runtime: Arc<Runtime>,
    server: JoinHandle<()>,
}

/// Start an emulator on its own listener. A configured callback need not answer yet.
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
    let runtime = Arc::new(Runtime::new(state, client()?, config.allow_remote_callback));
    tokio::spawn(Arc::clone(&runtime).drive());
    let server = tokio::spawn(serve(listener, Arc::clone(&runtime)));
    tracing::info!(%address, seed = config.seed, clock = ?config.clock, "emulator listens");
    Ok(Emulator { address, runtime, server })
}

async fn serve(listener: TcpListener, runtime: Arc<Runtime>) {
    let stop = runtime.stop.clone();
    let app = Router::new()
        .nest("/_emulator/v1", control::router())
        .route("/_emulator/media/{token}", get(graph::media_bytes))
        .fallback(graph::serve)
        .with_state(runtime);
    let service = app.into_make_service_with_connect_info::<Cutter>();
    let server = axum::serve(CuttableListener(listener), service).with_graceful_shutdown(stop.cancelled_owned());
    if let Err(error) = server.await {
        tracing::error!(%error, "the emulator's server ended");
    }
}

impl Emulator {
    /// Base URL of the Graph API; the control API is below it at `/_emulator/v1`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Move the clock forward and fire every timer on the way, in time order. On a manual clock
    /// each timer's deliveries are awaited. The answer is how many timers fired.
    pub async fn advance(&self, ms: u64) -> usize {
        self.runtime.advance(ms).await
    }

    /// Now, in Unix milliseconds of the emulator's clock.
    pub fn now_ms(&self) -> u64 {
        self.runtime.with(|state| state.clock.now())
    }

    /// Wait until no timer is due and no webhook is under way, but not longer than `timeout`.
    pub async fn quiesce(&self, timeout: Duration) -> Quiescence {
        self.runtime.quiesce(timeout).await
    }

    /// Stop: open feeds end, webhooks under way are abandoned, requests get a moment to finish.
    pub async fn shutdown(mut self) {
        self.runtime.stop.cancel();
        if tokio::time::timeout(SHUTDOWN_PATIENCE, &mut self.server).await.is_err() {
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
        self.runtime.stop.cancel();
    }
}
