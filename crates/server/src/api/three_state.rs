//! A field of a `PATCH` that may be left out, null, or a value: `Option<Option<T>>`.
//!
//! ```ignore
//! #[serde(default, deserialize_with = "three_state::read")]
//! #[schema(value_type = Option<String>)]
//! description: Option<Option<String>>,
//! ```

use serde::{Deserialize, Deserializer};

/// Reads a present field: null is `Some(None)`. A missing field is `None` through `serde(default)`.
pub(crate) fn read<'de, T: Deserialize<'de>, D: Deserializer<'de>>(field: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(field).map(Some)
}
