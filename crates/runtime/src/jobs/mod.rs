//! Work for later that no turn waits for.
//!
//! Local jobs are one transaction. External jobs call Meta: a template sync or look-up, a read
//! receipt, a media download.

mod external;
mod local;
mod media_download;
mod read_receipt;
mod retry;
mod template_refresh;
mod template_sync;

pub(crate) use external::{Queue, find_due, run, step as step_external};
pub(crate) use local::step as step_local;
pub use read_receipt::Receipt;
