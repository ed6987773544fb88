//! Work that must be done later and that no turn waits for.

pub(crate) mod calls;
pub(crate) mod expiry;
mod media_fetch;
mod read_receipt;
mod template_refresh;
mod template_sync;

pub use read_receipt::Receipt;
