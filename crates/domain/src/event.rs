//! Kinds of events: what live views and outgoing webhooks report.

use crate::words;

words! {
    pub enum Event {
        MessageReceived = "message.received",
        /// An outgoing message was queued.
        MessageCreated = "message.created",
        MessageStatus = "message.status",
        /// Its delivery could not be confirmed.
        MessageUnconfirmed = "message.unconfirmed",
        MessageMedia = "message.media",
        MessageDeleted = "message.deleted",
        /// The contact changed it.
        MessageEdited = "message.edited",
        /// The contact deleted it.
        MessageRevoked = "message.revoked",
        ConversationCreated = "conversation.created",
        ConversationUpdated = "conversation.updated",
        ExecutionStatus = "execution.status",
        /// An execution failed because its agent's model gave no answer.
        ModelFailing = "model.failing",
        SandboxSessionUpdated = "sandbox_session.updated",
        /// Also for a new contact.
        ContactUpdated = "contact.updated",
        NoteChanged = "note.changed",
        /// Also for a new agent.
        AgentUpdated = "agent.updated",
        /// New conversations get another snapshot of the agent from now on.
        AgentPublished = "agent.published",
        TestChatUpdated = "test_chat.updated",
        TestRunUpdated = "test_run.updated",
        WhatsappConfigUpdated = "whatsapp_config.updated",
        TemplateStatus = "whatsapp_template.status",
        TemplateSyncUpdated = "template_sync.updated",
        WebhookPaused = "webhook.paused",
        /// Joined, removed, or has another role.
        MemberUpdated = "member.updated",
        ApiKeyRevoked = "api_key.revoked",
    }
}
