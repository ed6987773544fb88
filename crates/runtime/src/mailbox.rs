//! Rows of the mailbox.

use crate::json::to_json;
use engine::Input;
use store::{Result, mailbox::MailRow};

/// A mailbox row for an input.
pub fn mail(seq: i64, input_key: String, input: &Input) -> Result<MailRow> {
    Ok(MailRow { seq, input_key, body: to_json("input", input)? })
}
