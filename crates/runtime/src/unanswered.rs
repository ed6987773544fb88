//! Tells operators about each contact that gets no answer: a log line, limited by project and
//! cause, and a metric. Neither holds texts or phone numbers.
//!
//! It is called inside transactions, so a transaction that runs again counts again.

use crate::Context;
use domain::{
    ids::{AgentId, ConversationId, ExecutionId, ProjectId},
    words,
};

words! {
    /// Reasons why a contact gets no answer. docs/operations.md has the remedy for each.
    pub enum Cause {
        /// The number belongs to no project.
        UnknownNumber = "unknown_number",
        /// Processing of inbound messages is turned off for the number.
        NumberOff = "number_off",
        /// The project is archived.
        ProjectArchived = "project_archived",
        /// No agent is linked to the number.
        NoAgent = "no_agent",
        /// Agents do not answer messages of this kind.
        KindNotAnswered = "kind_not_answered",
        /// The execution failed; the code tells why.
        ExecutionFailed = "execution_failed",
        /// WhatsApp did not take the message; the code tells why.
        SendFailed = "send_failed",
        /// It is unknown whether WhatsApp took the message, and it is not sent again.
        SendUnconfirmed = "send_unconfirmed",
    }
}

/// A contact without an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unanswered<'a> {
    pub cause: Cause,
    /// The code of the execution's or the send's error, or the kind of the message.
    pub code: &'a str,
    pub project: ProjectId,
    pub agent: Option<AgentId>,
    pub execution: Option<ExecutionId>,
    pub conversation: Option<ConversationId>,
}

impl Unanswered<'_> {
    pub(crate) fn report(&self, ctx: &Context) {
        let Self { cause, code, project, agent, execution, conversation } = *self;
        let labels =
            [("cause", cause.as_str().to_owned()), ("code", code.to_owned()), ("project", project.to_string())];
        metrics::counter!("chasqui_unanswered_total", &labels).increment(1);
        if let Some(left_out) = ctx.log_limit.admit(project.uuid(), cause.as_str(), ctx.now()) {
            tracing::warn!(
                %cause, code, %project, agent = agent.map(tracing::field::display),
                execution = execution.map(tracing::field::display),
                conversation = conversation.map(tracing::field::display), left_out,
                "a contact gets no answer"
            );
        }
    }
}
