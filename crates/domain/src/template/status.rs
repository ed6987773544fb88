//! Where a template stands. Six words of ours for Meta's eleven and more: what matters is who may do what.

use std::str::FromStr;

/// Where a template stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateStatus {
    /// Ours alone: Meta has not seen it.
    Draft,
    /// Meta is looking at it.
    Submitted,
    /// It can be sent.
    Approved,
    /// Meta does not want it as it is.
    Rejected,
    /// Meta had approved it and does not let it be sent now: paused, disabled, locked, archived.
    Disabled,
    /// Gone.
    Removed,
}

impl TemplateStatus {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Draft, Self::Submitted, Self::Approved, Self::Rejected, Self::Disabled, Self::Removed];

    /// The stored and wire word.
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

    /// What Meta's word, a status or the event of a webhook, means for us. `None` for one that we do not know: then the
    /// template stays as it is.
    pub fn of_meta(word: &str) -> Option<Self> {
        Some(match word {
            "PENDING" | "IN_APPEAL" => Self::Submitted,
            // Flagged ones have a bad name already and can still be sent.
            "APPROVED" | "FLAGGED" | "REINSTATED" | "UNARCHIVED" | "UNLOCKED" => Self::Approved,
            "REJECTED" => Self::Rejected,
            "PAUSED" | "DISABLED" | "LOCKED" | "ARCHIVED" | "LIMIT_EXCEEDED" => Self::Disabled,
            "PENDING_DELETION" | "DELETED" => Self::Removed,
            _ => return None,
        })
    }

    /// Whether Meta takes an edit of it: it has looked at it once and is not looking now.
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
    fn only_an_approved_template_of_meta_s_is_one_that_can_be_sent() {
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
    fn words_are_read_back() {
        for status in TemplateStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        assert!("paused".parse::<TemplateStatus>().is_err());
    }
}
