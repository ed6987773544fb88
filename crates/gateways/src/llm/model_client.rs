//! The HTTP client of all models.

use crate::{ClientError, wire};
use std::time::Duration;

/// A connection pool; clones share it.
#[derive(Debug, Clone)]
pub struct ModelClient(reqwest::Client);

impl ModelClient {
    pub fn new() -> Result<Self, ClientError> {
        let builder = wire::builder().connect_timeout(Duration::from_secs(10));
        Ok(Self(builder.build()?))
    }

    pub(super) fn http(&self) -> &reqwest::Client {
        &self.0
    }
}
