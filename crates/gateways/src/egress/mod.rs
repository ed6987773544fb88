//! The guarded client: how agents reach URLs that users configure.
//!
//! A URL is parsed once, its host is resolved once by us, every address is checked, and the connection goes to a checked
//! address: a name that changes its mind between check and connection (rebinding) has nothing to win. Redirects are
//! followed by us, with the same checks at each hop. There are no cookies, no proxies and no kept connections.

mod address;
mod content;
mod failure;
mod headers;
mod policy;
mod redirect;
mod resolver;
mod send;
mod target;

pub use address::refusal_of;
pub use failure::{FailureCode, Refusal};
pub use policy::{EgressPolicy, Limits};
pub use resolver::Resolver;
pub use send::Egress;
pub use target::{Target, public_url};
