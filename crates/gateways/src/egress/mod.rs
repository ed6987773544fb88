//! The guarded HTTP client for URLs that users configure (protection against SSRF).
//!
//! A URL is parsed once, its host is resolved once, every address is checked, and the connection
//! goes to a checked address. DNS rebinding therefore gains nothing. Redirects are followed here,
//! with the same checks at each hop. There are no cookies, no proxies, and no connections that
//! outlive a tool's request.

mod address;
mod content;
mod failure;
mod headers;
mod pinned;
mod policy;
mod redirect;
mod resolver;
mod send;
mod target;

pub use address::refusal_of;
pub(crate) use content::of as content_of;
pub use failure::{FailureCode, Refusal};
pub(crate) use headers::{for_hook as hook_headers, for_mcp as mcp_headers};
pub(crate) use pinned::{Pinned, refusal_for};
pub use policy::{EgressPolicy, Limits};
pub use resolver::Resolver;
pub use send::Egress;
pub use target::{Target, public_url};
