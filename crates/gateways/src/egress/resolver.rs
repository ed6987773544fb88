//! Resolves names to addresses, once per hop.

use std::{fmt, io, net::IpAddr, sync::Arc};

type Answer = dyn Fn(&str) -> Vec<IpAddr> + Send + Sync;

#[derive(Clone, Default)]
pub enum Resolver {
    #[default]
    System,
    /// A function, for tests. An empty result means that the name is unknown.
    Scripted(Arc<Answer>),
}

impl Resolver {
    pub fn scripted(answer: impl Fn(&str) -> Vec<IpAddr> + Send + Sync + 'static) -> Self {
        Self::Scripted(Arc::new(answer))
    }

    pub(super) async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        match self {
            Self::System => Ok(tokio::net::lookup_host((name, 0)).await?.map(|found| found.ip()).collect()),
            Self::Scripted(answer) => Ok(answer(name)),
        }
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Scripted(_) => "Scripted",
        })
    }
}
