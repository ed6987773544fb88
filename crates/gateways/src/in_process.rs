//! Functions of this process instead of network connections, for simulations and the offline model.
//!
//! Models, Meta and users' URLs can each be replaced by one. Only the connection is replaced:
//! requests are those that would be written, and responses are read as if they came over the
//! network.

use futures::future::BoxFuture;
use std::{fmt, sync::Arc};

/// A function that replaces a server.
pub struct InProcess<Q, A>(Arc<Function<Q, A>>);

type Function<Q, A> = dyn Fn(Q) -> BoxFuture<'static, A> + Send + Sync;

impl<Q, A> InProcess<Q, A> {
    pub fn new(function: impl Fn(Q) -> BoxFuture<'static, A> + Send + Sync + 'static) -> Self {
        Self(Arc::new(function))
    }

    pub(crate) async fn call(&self, request: Q) -> A {
        (self.0)(request).await
    }
}

impl<Q, A> Clone for InProcess<Q, A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<Q, A> fmt::Debug for InProcess<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}
