//! Kinds of background work.

use crate::words;

words! {
    pub enum JobKind {
        TestRun = "test_run",
        ReadReceipt = "read_receipt",
        /// Pulls an account's templates from Meta.
        TemplateSync = "template_sync",
        /// Looks up one template at Meta.
        TemplateRefresh = "template_refresh",
        MediaFetch = "media_fetch",
        /// Checks that a config's token reads its number and its account.
        NumberProof = "number_proof",
        /// Processes messages that came before their number was proved.
        HeldMessages = "held_messages",
        /// Deletes an uploaded file that no message came for.
        UploadExpire = "upload_expire",
        /// Ends the pause of an agent after a reply on the shop's phone.
        PhoneReplyPause = "phone_reply_pause",
        SandboxSessionExpire = "expire_sandbox_session",
        /// Deletes all rows of a project. It belongs to the platform.
        ProjectDelete = "project_delete",
    }

    /// Progress of a pull of templates.
    pub enum SyncStatus {
        Queued = "queued",
        Running = "running",
        Succeeded = "succeeded",
        Failed = "failed",
    }

    /// Progress of a test run.
    pub enum TestRunStatus {
        Queued = "queued",
        Running = "running",
        Completed = "completed",
        Error = "error",
    }
}
