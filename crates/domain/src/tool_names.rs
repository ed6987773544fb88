//! Names of the built-in tools as models see them. Histories store them, so they never change.

pub const ABORT: &str = "Abort";
pub const ASK_USER_FOR_INPUT: &str = "AskUserForInput";
pub const ENTER_IDLE_STATE: &str = "EnterIdleState";
pub const GET_EXECUTION_METADATA: &str = "get_execution_metadata";
pub const KB_RETRIEVAL: &str = "kb_retrieval";
pub const MOVE_TO_NEXT_NODE: &str = "MoveToNextNode";
pub const SEND_MEDIA: &str = "send_media_message";
pub const SEND_NOTIFICATION: &str = "send_notification_to_user";
pub const SEND_TEMPLATE: &str = "SendWhatsappTemplateMessage";
pub const WAIT_FOR_USER: &str = "WaitForUser";
pub const WEBHOOK_REQUEST: &str = "webhook_request";

/// Version 1 shows inputs as results of these calls; no model is offered them.
pub const HANDLE_USER_MESSAGE: &str = "handle_user_message";
pub const SEND_EXTERNAL_MESSAGE: &str = "send_external_message";

/// Tools of test runs: the simulated user and the judge answer through them.
pub const SEND_USER_MESSAGE: &str = "send_user_message";
pub const GRADE_CONVERSATION: &str = "grade_conversation";

/// Names that no configured tool may take. `StopExecution` and the `file_*` tools belong to the published contract; the
/// engine does not offer them.
pub const RESERVED_TOOLS: [&str; 19] = [
    SEND_NOTIFICATION,
    SEND_MEDIA,
    ASK_USER_FOR_INPUT,
    MOVE_TO_NEXT_NODE,
    ENTER_IDLE_STATE,
    WAIT_FOR_USER,
    GET_EXECUTION_METADATA,
    WEBHOOK_REQUEST,
    KB_RETRIEVAL,
    SEND_TEMPLATE,
    HANDLE_USER_MESSAGE,
    SEND_EXTERNAL_MESSAGE,
    "StopExecution",
    ABORT,
    "file_read",
    "file_write",
    "file_str_replace",
    "file_find_in_content",
    "file_find_by_name",
];
