//! Runs a body in a transaction, again when the database asks for it.

use crate::db::error::Error;

/// Tries before the caller gets [`Error::Retry`].
#[doc(hidden)]
pub const MAX_TRIES: u32 = 8;

/// An error that may ask to run the transaction again.
pub trait Retryable {
    /// True if the same transaction may succeed when run again.
    fn is_retryable(&self) -> bool;
}

impl Retryable for Error {
    fn is_retryable(&self) -> bool {
        Self::is_retryable(self)
    }
}

/// Runs a body in one transaction and commits it; retries at most eight times when the database
/// asks for it.
///
/// The body may run more than once, so it must have no effects outside the database. An error rolls
/// back. The name appears in metrics and in the commit log of tests. `transact!(store, "name", tx
/// => body)` has [`Error`](crate::Error) as its error; `transact!(store, "name", MyError, tx =>
/// body)` any error made from it.
///
/// A macro, because an async closure cannot yet promise a `Send` future, which handlers need. It
/// expands in place, so the body may borrow.
#[macro_export]
macro_rules! transact {
    ($store:expr, $name:literal, $tx:ident => $body:expr) => {
        $crate::transact!($store, $name, $crate::Error, $tx => $body)
    };
    ($store:expr, $name:literal, $error:ty, $tx:ident => $body:expr) => {{
        let store: &$crate::Store = &$store;
        let mut tries = 0;
        loop {
            let outcome: ::std::result::Result<_, $error> = match store.begin().await {
                Ok(mut transaction) => {
                    let outcome: ::std::result::Result<_, $error> = async {
                        let mut tx = transaction.tx()?;
                        let $tx = &mut tx;
                        $body
                    }
                    .await;
                    store.finish($name, transaction, outcome).await
                }
                Err(error) => Err(<$error>::from(error)),
            };
            match outcome {
                Err(error) if $crate::Retryable::is_retryable(&error) && tries < $crate::MAX_TRIES => {
                    tries += 1;
                    store.pause_before($name, tries).await;
                }
                outcome => break outcome,
            }
        }
    }};
}
