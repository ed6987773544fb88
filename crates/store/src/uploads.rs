//! Files in pieces: those that came over the API and that WhatsApp does not have yet, and those of
//! people, which stay.
//!
//! A file is stored in pieces, each in a transaction of its own, before the message that needs it;
//! it goes in the transaction that notes WhatsApp's id of it. A file of a person stays as long as
//! its message. One that no message came for is deleted by a job.

use crate::{
    counters,
    db::{Conn, Counter, Result, Tx, run, statements},
};
use domain::ids::ProjectId;
use uuid::Uuid;

statements! {
    ADD = ["INSERT INTO upload_pieces (project_id, upload_id, seq, bytes) VALUES ($1, $2, $3, $4)"];
    PIECE = ["SELECT bytes FROM upload_pieces WHERE project_id = $1 AND upload_id = $2 AND seq = $3"];
    SIZE = ["SELECT COALESCE(sum(length(bytes)), 0) FROM upload_pieces WHERE project_id = $1 AND upload_id = $2"];
    DELETE = ["DELETE FROM upload_pieces WHERE project_id = $1 AND upload_id = $2 RETURNING CAST(length(bytes) AS BIGINT)"];
}

/// The first piece is number 0.
pub async fn add(tx: &mut Tx<'_>, project: ProjectId, upload: Uuid, seq: i64, bytes: &[u8]) -> Result<()> {
    run!(tx, ADD, [project, upload, seq, bytes], execute)?;
    counters::add(tx, project, Counter::StoredBytes, upload, i64::try_from(bytes.len()).unwrap_or(i64::MAX));
    Ok(())
}

/// `None` after the last piece.
pub async fn piece(conn: &mut Conn<'_>, project: ProjectId, upload: Uuid, seq: i64) -> Result<Option<Vec<u8>>> {
    let row = run!(conn, PIECE, [project, upload, seq], fetch_optional as (Vec<u8>,))?;
    Ok(row.map(|(bytes,)| bytes))
}

/// Number of stored bytes of a file.
pub async fn size(conn: &mut Conn<'_>, project: ProjectId, upload: Uuid) -> Result<i64> {
    Ok(run!(conn, SIZE, [project, upload], fetch_one as (i64,))?.0)
}

pub async fn delete(tx: &mut Tx<'_>, project: ProjectId, upload: Uuid) -> Result<()> {
    let pieces = run!(tx, DELETE, [project, upload], fetch_all as (i64,))?;
    let bytes: i64 = pieces.iter().map(|(bytes,)| bytes).sum();
    counters::add(tx, project, Counter::StoredBytes, upload, -bytes);
    Ok(())
}
