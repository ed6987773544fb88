//! The TLS provider and the trusted roots of every connection.
//!
//! Uses the roots of the operating system, so that an operator's own authority works. Where the
//! system has none, the bundled Mozilla list lets a minimal container reach Meta. Roots are read
//! once per process.

use rustls::{ClientConfig, RootCertStore};
use std::sync::{Arc, OnceLock};

/// Makes ring the provider of this process. Later calls have no effect.
pub fn install() {
    // An error means that a provider is installed already.
    rustls::crypto::ring::default_provider().install_default().ok();
}

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
    fn installing_twice_works_and_roots_exist() {
        install();
        install();
        assert!(!roots().is_empty());
        config();
    }
}
