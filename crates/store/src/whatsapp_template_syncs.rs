//! Pulls of an account's templates from Meta, at most one queued or running per account.

use crate::db::{Conn, Result, Tx, rows, run, statements, stored_words};
use domain::{Timestamp, job::SyncStatus, ids::{ProjectId, TemplateSyncId, WhatsappConfigId}};
use uuid::Uuid;

stored_words!(SyncStatus);

rows! {
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct TemplateSyncRow {
        pub id: TemplateSyncId,
        /// Meta's id of the business account.
        pub waba_id: String,
        /// The config whose token is used. It may have been deleted.
        pub anchor_config_id: WhatsappConfigId,
        /// JSON with that config's name.
        pub anchor: String,
        pub job_id: Uuid,
        pub status: SyncStatus,
        /// Number of templates at Meta.
        pub templates_synced: i64,
        /// New ones among them.
        pub templates_created: i64,
        /// Changed ones among them.
        pub templates_updated: i64,
        /// Number of templates that Meta has no longer.
        pub templates_removed: i64,
        /// JSON list of the account's production configs.
        pub config_ids: String,
        /// Code of the latest error.
        pub error_class: Option<String>,
        pub error_message: Option<String>,
        pub queued_at: Timestamp,
        /// Time of the first request to Meta.
        pub started_at: Option<Timestamp>,
        pub finished_at: Option<Timestamp>,
    }
}

statements! {
    INSERT = ["INSERT INTO whatsapp_template_syncs (project_id, id, waba_id, anchor_config_id, anchor, job_id, status, templates_synced, \
               templates_created, templates_updated, templates_removed, config_ids, queued_at) \
               VALUES ($1, $2, $3, $4, $5, $6, 'queued', 0, 0, 0, 0, $7, $8) \
               ON CONFLICT (project_id, waba_id) WHERE status IN ('queued', 'running') DO NOTHING"];
    LIVE = ["SELECT ", TemplateSyncRow, " \
             FROM whatsapp_template_syncs WHERE project_id = $1 AND waba_id = $2 AND status IN ('queued', 'running')"];
    FIND = ["SELECT ", TemplateSyncRow, " \
             FROM whatsapp_template_syncs WHERE project_id = $1 AND id = $2"];
    UPDATE = ["UPDATE whatsapp_template_syncs SET status = $3, templates_synced = $4, templates_created = $5, templates_updated = $6, \
               templates_removed = $7, config_ids = $8, error_class = $9, error_message = $10, started_at = $11, finished_at = $12 \
               WHERE project_id = $1 AND id = $2"];
    OF_ACCOUNT = ["SELECT ", TemplateSyncRow, " \
                   FROM whatsapp_template_syncs WHERE project_id = $1 AND waba_id = $2 ORDER BY queued_at DESC, id DESC LIMIT $3"];
    NEWEST = ["SELECT ", TemplateSyncRow, " \
               FROM whatsapp_template_syncs s WHERE project_id = $1 AND NOT EXISTS (SELECT 1 FROM whatsapp_template_syncs n \
                   WHERE n.project_id = $1 AND n.waba_id = s.waba_id \
                   AND (n.queued_at > s.queued_at OR (n.queued_at = s.queued_at AND n.id > s.id))) \
               ORDER BY queued_at DESC, id DESC LIMIT 1000"];
}

/// `false`, and nothing stored, if the account has a queued or running pull.
pub async fn queue(tx: &mut Tx<'_>, project: ProjectId, s: &TemplateSyncRow) -> Result<bool> {
    let stored = run!(tx, INSERT, [project, s.id, s.waba_id, s.anchor_config_id, s.anchor, s.job_id, s.config_ids,
        s.queued_at],
        execute)?;
    Ok(stored == 1)
}

/// An account's queued or running pull.
pub async fn live(conn: &mut Conn<'_>, project: ProjectId, waba_id: &str) -> Result<Option<TemplateSyncRow>> {
    run!(conn, LIVE, [project, waba_id], fetch_optional as TemplateSyncRow)
}

pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: TemplateSyncId) -> Result<Option<TemplateSyncRow>> {
    run!(conn, FIND, [project, id], fetch_optional as TemplateSyncRow)
}

/// The pull's job must be held in the same transaction.
pub async fn update(tx: &mut Tx<'_>, project: ProjectId, s: &TemplateSyncRow) -> Result<()> {
    run!(tx, UPDATE, [project, s.id, s.status, s.templates_synced, s.templates_created, s.templates_updated,
        s.templates_removed, s.config_ids, s.error_class, s.error_message, s.started_at, s.finished_at], execute).map(drop)
}

/// The latest pulls of an account, newest first.
pub async fn of_account(conn: &mut Conn<'_>, project: ProjectId, waba_id: &str, limit: i64) -> Result<Vec<TemplateSyncRow>> {
    run!(conn, OF_ACCOUNT, [project, waba_id, limit], fetch_all as TemplateSyncRow)
}

/// The newest pull of each account, newest first.
pub async fn newest(conn: &mut Conn<'_>, project: ProjectId) -> Result<Vec<TemplateSyncRow>> {
    run!(conn, NEWEST, [project], fetch_all as TemplateSyncRow)
}
