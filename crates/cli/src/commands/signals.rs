//! When to stop.

use anyhow::{Context as _, Result};

/// Listens for Ctrl-C and for the signal that service managers send. Made before anything is started, so that no
/// signal is lost.
pub struct Stop {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Stop {
    /// From now on signals are noticed here instead of ending the process.
    pub fn listen() -> Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let cannot = "cannot listen for signals";
            let terminate = signal(SignalKind::terminate()).context(cannot)?;
            let interrupt = signal(SignalKind::interrupt()).context(cannot)?;
            Ok(Self { terminate, interrupt })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Returns when this process should end.
    pub async fn wanted(&mut self) -> Result<()> {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        #[cfg(not(unix))]
        tokio::signal::ctrl_c().await.context("cannot listen for Ctrl-C")?;
        Ok(())
    }
}
