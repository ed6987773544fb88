//! JSON in rows. Text that cannot be read is reported as damaged data.

use store::{Error, Result};

/// `what` names the value in the error.
pub fn to_json<T: serde::Serialize>(what: &'static str, value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::Damaged { what, why: error.to_string() })
}

/// `what` names the value in the error.
pub fn from_json<T: serde::de::DeserializeOwned>(what: &'static str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::Damaged { what, why: error.to_string() })
}
