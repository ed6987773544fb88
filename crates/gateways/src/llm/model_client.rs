//! The HTTP client of all models.

use crate::{ClientError, wire};
use std::time::Duration;

/// The connection pool that all models share. Cloning shares it.
#[derive(Debug, Clone)]
pub struct ModelClient(reqwest::Client);

impl ModelClient {
    /// A new pool; one per process is enough.
    pub fn new() -> Result<Self, ClientError> {
        let builder = wire::builder().connect_timeout(Duration::from_secs(10));
        Ok(Self(builder.build()?))
    }

    pub(super) fn http(&self) -> &reqwest::Client {
        &self.0
    }
}
