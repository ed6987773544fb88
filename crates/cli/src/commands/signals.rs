//! Stop signals.

use anyhow::{Context as _, Result};

/// Listener for Ctrl-C and SIGTERM. Created before anything is started, so that no signal is lost.
pub struct Stop {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Stop {
    /// Starts listening. From now on the signals no longer end the process.
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

    /// Waits for a stop signal.
    pub async fn requested(&mut self) -> Result<()> {
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
