//! Rules for the names of nodes and of configured tools.

use super::codes;
use super::read::{Findings, short};
use crate::tool_names::RESERVED_TOOLS;

/// Checks a tool's name, and the name that the model sees if it is another one.
pub(super) fn check_tool_name(name: &str, shown: &str, at: &str, found: &mut Findings) {
    if !is_word(name) || (is_word(name) && !shown.is_empty() && !is_word(shown)) {
        let message =
            format!("'{}' is not a tool name: 1 to 64 of A-Z, a-z, 0-9 and _, with _request added", short(name));
        found.error(at, codes::BAD_TOOL_NAME, message);
    } else if let Some(taken) = RESERVED_TOOLS.iter().find(|taken| taken.eq_ignore_ascii_case(name) || **taken == shown)
    {
        found.error(at, codes::RESERVED_TOOL_NAME, format!("'{taken}' is a built-in tool; choose another name"));
    }
}

/// `^[A-Za-z0-9_]{1,64}$`
pub(super) fn is_word(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
