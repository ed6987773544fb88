//! Opens either database, runs transactions, and turns values and rows into statements and structs.
//!
//! Resource files see [`Conn`], [`Tx`] and one SQL text. PostgreSQL gives each transaction its own
//! connection; SQLite has one writer that commits in groups (`writer.rs`) and a pool of readers.

#[cfg(feature = "testing")]
pub mod admin;
pub mod backup;
pub(crate) mod changes;
pub(crate) mod conn;
pub(crate) mod error;
pub(crate) mod inspection;
pub(crate) mod list;
mod migrations;
pub(crate) mod paths;
#[doc(hidden)]
pub mod point;
#[cfg(feature = "failpoints")]
mod refusals;
pub(crate) mod row;
pub(crate) mod sql;
pub(crate) mod sqlite;
pub(crate) mod store;
#[cfg(feature = "testing")]
pub mod tables;
pub(crate) mod transact;
pub(crate) mod url;
mod wal;
mod writer;

pub(crate) use changes::Counter;
pub(crate) use conn::{Conn, Scope, Tx};
pub(crate) use error::{Error, Result};
pub(crate) use list::{List, Value};
pub(crate) use row::{rows, stored_words};
pub(crate) use sql::{Sql, run, statements};
