//! Reasons for refusing a message before it enters the outbox.

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSendable {
    #[error("the 24-hour window is closed; only templates can be sent")]
    WindowClosed,
    /// It is the agent's message, and a person has the conversation.
    #[error("a person has taken the conversation over")]
    TakenOver,
    /// The contact has neither a number nor a user id.
    #[error("the contact has no address")]
    NoAddress,
    #[error("the template is {0}; only approved ones can be sent")]
    TemplateNotApproved(String),
    #[error("the template cannot be filled: {0}")]
    TemplateUnfit(String),
    /// The template for texts outside of the window is not known, or exists in several languages.
    #[error("the 24-hour window is closed, and no single template '{0}' is known to carry the text")]
    WindowTemplateUnknown(String),
}

impl NotSendable {
    /// The error code for models and clients.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::WindowClosed => "outside_service_window",
            Self::TakenOver => "taken_over",
            Self::NoAddress => "no_address",
            Self::TemplateNotApproved(_) => "template_not_approved",
            Self::TemplateUnfit(_) => "template_parameters_invalid",
            Self::WindowTemplateUnknown(_) => "template_unknown",
        }
    }
}
