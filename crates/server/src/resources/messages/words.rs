//! Enumerations of messages in the API document.

use crate::api::words;

words!(
    MessageType = "text",
    "image",
    "video",
    "audio",
    "document",
    "template",
    "location",
    "interactive",
    "reaction",
    "contacts"
);
words!(MessageDirection = "inbound", "outbound");
words!(ProcessingStatus = "pending", "processed");
words!(InteractiveType = "button", "list");
words!(HeaderType = "text", "image", "video", "document");
