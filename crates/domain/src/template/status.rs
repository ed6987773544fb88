//! Status of a template. Six words for Meta's eleven and more: they decide which actions are
//! allowed.

use std::str::FromStr;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateStatus {
    /// A local draft that Meta has not seen.
    Draft,
    /// Under review.
    Submitted,
    /// It can be sent.
    Approved,
    /// Rejected.
    Rejected,
    /// Approved before and not sendable now: paused, disabled, locked, archived.
    Disabled,
    /// Deleted.
    Removed,
}

impl TemplateStatus {
    pub const ALL: [Self; 6] =
        [Self::Draft, Self::Submitted, Self::Approved, Self::Rejected, Self::Disabled, Self::Removed];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Disabled => "disabled",
            Self::Removed => "removed",
        }
    }

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

impl FromStr for TemplateStatus {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(())
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

    #[test]
    fn words_round_trip() {
        for status in TemplateStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        assert!("paused".parse::<TemplateStatus>().is_err());
    }
}
