//! General features of the Graph API that Meta removed for new apps in every version.
//!
//! Source: changelog of v26.0 (2026-07) and v27.0 (2026-11). Meta's texts of these errors are not
//! published; the sentences are ours.

use super::{call::Call, errors::GraphError};

/// An error if the call uses a removed feature.
pub(super) fn refuse(call: &Call) -> Result<(), GraphError> {
    let in_query = |name: &str| call.query.iter().any(|(key, _)| key == name);
    let fields = call.query.iter().find(|(key, _)| key == "fields").map_or("", |(_, value)| value);
    let removed = [
        (overrides_method(call), "Method override is no longer supported: send the request with that method."),
        (in_query("ids"), "Requests of several ids are no longer supported: request each id."),
        (fields.contains(".as("), "Aliases of fields are no longer supported."),
        (in_query("date_format"), "The parameter date_format is no longer supported."),
        (in_query("callback"), "JSONP is no longer supported."),
    ];
    removed.iter().find(|(used, _)| *used).map_or(Ok(()), |(_, why)| Err(GraphError::with(100, *why)))
}

fn overrides_method(call: &Call) -> bool {
    let is_method = |value: &str| ["GET", "POST", "PUT", "DELETE"].iter().any(|name| name.eq_ignore_ascii_case(value));
    call.overrides_method || call.parameter("method").is_some_and(is_method)
}
