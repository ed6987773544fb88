//! Opens either database, runs transactions and turns rows into structs. Resource files see `Conn`, `Tx` and one SQL text.

#[doc(hidden)]
pub mod admin;
pub(crate) mod error;
#[doc(hidden)]
pub mod point;
#[cfg(feature = "failpoints")]
mod refusals;
pub(crate) mod row;
pub(crate) mod sql;
mod sqlite;
pub(crate) mod store;
mod wal;
mod writer;
