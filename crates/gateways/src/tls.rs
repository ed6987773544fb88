//! One TLS provider and one set of trusted roots for every connection.
//!
//! Roots are those of the operating system (so an operator's own authority works), or the bundled Mozilla list where
//! the system has none: a minimal container must still be able to reach Meta. They are read once per process.

use rustls::{ClientConfig, RootCertStore};
use std::sync::{Arc, OnceLock};

/// Makes ring the provider of this process. May be called often: the first call wins, every client here calls it too.
pub fn install() {
    // An error only says that somebody installed a provider before.
    rustls::crypto::ring::default_provider().install_default().ok();
}

/// The TLS settings that all clients share.
pub(crate) fn config() -> ClientConfig {
    static CONFIG: OnceLock<ClientConfig> = OnceLock::new();
    CONFIG
        .get_or_init(|| {
            install();
            ClientConfig::builder().with_root_certificates(Arc::new(roots())).with_no_client_auth()
        })
        .clone()
}

fn roots() -> RootCertStore {
    let mut store = RootCertStore::empty();
    let (_, ignored) = store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if store.is_empty() {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        tracing::info!("no system certificates: using the bundled list");
    }
    tracing::debug!(roots = store.len(), ignored, "trusted roots loaded");
    store
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installing_twice_is_harmless_and_roots_are_there() {
        install();
        install();
        assert!(!roots().is_empty());
        config();
    }
}
