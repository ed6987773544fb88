//! Connected WhatsApp business numbers.

use crate::{Conn, Result, Tx, row::rows, sql::{run, statements}, unscoped::{self, DirectoryKind}};
use domain::{Timestamp, ids::{ProjectId, SecretId, WhatsappConfigId}};

rows! {
    /// A stored config. The access token is a secret and only referred to.
    #[derive(Debug, Clone)]
    pub struct WhatsappConfigRow {
        /// Its id.
        pub id: WhatsappConfigId,
        /// What people call it.
        pub name: String,
        /// Meta's id of the number.
        pub phone_number_id: String,
        /// Meta's id of the business account.
        pub waba_id: String,
        /// Digits, for people.
        pub display_phone_number: String,
        /// Where the token is.
        pub access_token_id: SecretId,
        /// `production` or `sandbox`.
        pub kind: String,
    }
}

statements! {
    INSERT = ["INSERT INTO whatsapp_configs (project_id, id, name, phone_number_id, waba_id, display_phone_number, access_token_id, kind, \
               created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)"];
    FIND = ["SELECT id, name, phone_number_id, waba_id, display_phone_number, access_token_id, kind FROM whatsapp_configs \
             WHERE project_id = $1 AND id = $2"];
    OLDEST = ["SELECT id, name, phone_number_id, waba_id, display_phone_number, access_token_id, kind FROM whatsapp_configs \
               WHERE project_id = $1 AND kind = 'production' ORDER BY created_at, id LIMIT 1"];
}

/// Stores a config and routes its number to the project.
pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, row: &WhatsappConfigRow, now: Timestamp) -> Result<()> {
    let (id, token) = (row.id.uuid(), row.access_token_id.uuid());
    let values = (&row.name, &row.phone_number_id, &row.waba_id, &row.display_phone_number, &row.kind);
    run!(tx, INSERT, [project.uuid(), id, values.0, values.1, values.2, values.3, token, values.4, now.micros()], execute)?;
    unscoped::point(tx, DirectoryKind::Number, &row.phone_number_id, project, id).await
}

/// The config of this id.
pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: WhatsappConfigId) -> Result<Option<WhatsappConfigRow>> {
    run!(conn, FIND, [project.uuid(), id.uuid()], fetch_optional as WhatsappConfigRow)
}

/// The number that an API run without a named config uses: the project's first production number.
pub async fn oldest(conn: &mut Conn<'_>, project: ProjectId) -> Result<Option<WhatsappConfigRow>> {
    run!(conn, OLDEST, [project.uuid()], fetch_optional as WhatsappConfigRow)
}
