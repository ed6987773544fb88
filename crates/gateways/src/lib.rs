//! The only crate that opens outbound connections: models, Meta, user-given URLs.
