//! Cursors of lists that grow while they are read: a place between two rows, as opaque text.

use crate::ApiError;
use domain::{Id, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// Place of a page.
#[derive(Serialize, ToSchema)]
pub(crate) struct CursorMeta {
    /// For `before` of the next request; null if there are no more.
    pub(crate) before: Option<String>,
}

/// Cursor after a row in a list by time and id.
pub(crate) fn text<T>(at: Timestamp, id: Id<T>) -> String {
    format!("{}-{}", at.micros(), id.uuid())
}

pub(crate) fn parse<T>(text: &str) -> Result<(Timestamp, Id<T>), ApiError> {
    let parts = text.split_once('-').and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
    let (at, id) = parts.ok_or_else(|| ApiError::invalid("/before", "invalid_format", "is no cursor of this list"))?;
    Ok((Timestamp::from_micros(at), id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::ConversationId;
    use uuid::Uuid;

    #[test]
    fn cursor_reads_back_as_it_was_written() {
        let place = (Timestamp::from_micros(1_748_873_109_123_000), ConversationId::from_uuid(Uuid::from_u128(7)));
        assert_eq!(parse(&text(place.0, place.1)).unwrap(), place);
        for bad in ["", "1", "x-7", "1-x"] {
            assert!(parse::<domain::ids::ConversationId>(bad).is_err(), "{bad}");
        }
    }
}
