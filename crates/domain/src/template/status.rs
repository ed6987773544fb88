//! Status of a template. Six words for Meta's eleven and more: they decide which actions are
//! allowed.

use crate::words;

words! {
    pub enum TemplateStatus {
        /// A local draft that Meta has not seen.
        Draft = "draft",
        /// Under review.
        Submitted = "submitted",
        /// It can be sent.
        Approved = "approved",
        Rejected = "rejected",
        /// Approved before and not sendable now: paused, disabled, locked, archived.
        Disabled = "disabled",
        Removed = "removed",
    }

    /// Reason why a template's state at Meta is unknown until it is looked up.
    pub enum Unconfirmed {
        /// The result of a submission is unknown.
        Submit = "submit",
        /// The result of an edit is unknown.
        Edit = "edit",
        /// The result of a deletion is unknown.
        Delete = "delete",
        /// A webhook reported a part of the new state.
        Partial = "news",
    }
}

impl TemplateStatus {
    /// Our word for Meta's status or webhook event. `None` for an unknown one: the template keeps
    /// its status.
    pub fn of_meta(word: &str) -> Option<Self> {
        Some(match word {
            "PENDING" | "IN_APPEAL" => Self::Submitted,
            // Flagged templates have a poor rating and can still be sent.
            "APPROVED" | "FLAGGED" | "REINSTATED" | "UNARCHIVED" | "UNLOCKED" => Self::Approved,
            "REJECTED" => Self::Rejected,
            "PAUSED" | "DISABLED" | "LOCKED" | "ARCHIVED" | "LIMIT_EXCEEDED" => Self::Disabled,
            "PENDING_DELETION" | "DELETED" => Self::Removed,
            _ => return None,
        })
    }

    /// True if Meta accepts an edit: it has reviewed the template once and is not reviewing it now.
    pub const fn can_be_edited_on_meta(self) -> bool {
        matches!(self, Self::Approved | Self::Rejected | Self::Disabled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_approved_templates_can_be_sent() {
        let sendable = ["APPROVED", "FLAGGED", "REINSTATED", "UNARCHIVED", "UNLOCKED"];
        for word in sendable {
            assert_eq!(TemplateStatus::of_meta(word), Some(TemplateStatus::Approved), "{word}");
        }
        for word in [
            "PENDING",
            "IN_APPEAL",
            "REJECTED",
            "PAUSED",
            "DISABLED",
            "LOCKED",
            "ARCHIVED",
            "LIMIT_EXCEEDED",
            "PENDING_DELETION",
            "DELETED",
        ] {
            let status = TemplateStatus::of_meta(word);
            assert!(status.is_some() && status != Some(TemplateStatus::Approved), "{word}: {status:?}");
        }
        assert_eq!(TemplateStatus::of_meta("BRAND_NEW"), None);
    }
}
