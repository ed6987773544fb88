//! Kinds of events: what live views and outgoing webhooks report.

use crate::words;

words! {
    pub enum Event {
        MessageReceived = "message.received",
        MessageStatus = "message.status",
        MessageMedia = "message.media",
        MessageDeleted = "message.deleted",
        ConversationUpdated = "conversation.updated",
        ExecutionStatus = "execution.status",
        TemplateStatus = "whatsapp_template.status",
    }
}
