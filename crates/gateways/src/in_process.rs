//! Functions of this process in the place of connections: how a simulation plays the world outside.
//!
//! Each way out (a model, Meta, users' URLs) can lead to one. Nothing below it is skipped that decides anything: requests
//! are the ones that would be written, and answers are read as if they had come over the network.

use futures::future::BoxFuture;
use std::{fmt, sync::Arc};

/// Answers questions in the place of a server.
pub struct InProcess<Q, A>(Arc<Answerer<Q, A>>);

type Answerer<Q, A> = dyn Fn(Q) -> BoxFuture<'static, A> + Send + Sync;

impl<Q, A> InProcess<Q, A> {
    /// The server is this function.
    pub fn new(answerer: impl Fn(Q) -> BoxFuture<'static, A> + Send + Sync + 'static) -> Self {
        Self(Arc::new(answerer))
    }

    pub(crate) async fn ask(&self, question: Q) -> A {
        (self.0)(question).await
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
