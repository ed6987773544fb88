//! Roles of people and keys in a project. Each role may do all that the roles before it may.

use crate::words;

words! {
    pub enum Role {
        /// Reads conversations and contacts.
        Viewer = "viewer",
        /// Answers conversations.
        Inbox = "inbox",
        /// Builds agents, and sees executions and traces.
        Builder = "builder",
        /// Manages keys, members and the project.
        Owner = "owner",
    }
}

impl Role {
    /// True if this role includes all rights of `least`.
    pub const fn includes(self, least: Self) -> bool {
        self as u8 >= least as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_includes_those_before_it() {
        for (at, role) in Role::ALL.iter().enumerate() {
            for (least, other) in Role::ALL.iter().enumerate() {
                assert_eq!(role.includes(*other), at >= least, "{role} {other}");
            }
        }
    }
}
