//! Storage of file bytes, for uploads over the API and downloads from WhatsApp.
//!
//! The outbox worker uploads a file to WhatsApp, and the message must survive a crash, so the bytes
//! wait in the database ([decision
//! 7](../../../../docs/decisions/0007-uploads-stored-in-the-database.md)). They are written in
//! pieces while they arrive. A job that is queued with the first piece deletes them unless a
//! message claims or keeps them.

use crate::Context;
use bytes::BytesMut;
use domain::{Span, Timestamp, file, ids::ProjectId, job::JobKind};
use sha2::{Digest as _, Sha256};
use store::{
    Error, Result, Tx,
    jobs::{self, NewJob},
    transact, uploads,
};
use uuid::Uuid;

/// Size of a piece, one commit each: small enough not to block other writers. Only the last piece
/// is smaller.
pub const PIECE: usize = 512 * 1024;
/// Bytes that are enough to detect a file's type.
const FIRST: usize = 16;
/// Lifetime of a file that no message has claimed.
const UNCLAIMED: Span = Span::from_hours(1);
/// Lifetime of a claimed file: by then its message was sent or has failed.
const CLAIMED: Span = Span::from_hours(26);

/// A file that is being received.
pub struct Receiving<'a> {
    ctx: &'a Context,
    project: ProjectId,
    id: Uuid,
    pieces: i64,
    waiting: BytesMut,
    first: Vec<u8>,
    size: usize,
    digest: Sha256,
}

/// A complete file.
#[derive(Debug, Clone)]
pub struct Received {
    /// Identifies its pieces.
    pub id: Uuid,
    /// In bytes.
    pub size: usize,
    /// Its first bytes.
    pub first: Vec<u8>,
    pub sha256: [u8; 32],
}

impl<'a> Receiving<'a> {
    pub fn new(ctx: &'a Context, project: ProjectId) -> Self {
        Self {
            ctx,
            project,
            id: ctx.new_uuid(),
            pieces: 0,
            waiting: BytesMut::new(),
            first: Vec::new(),
            size: 0,
            digest: Sha256::new(),
        }
    }

    /// Identifies its pieces.
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// Stores more bytes. Returns false if the file exceeds the size limit.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<bool> {
        self.size += bytes.len();
        if self.size > file::LARGEST {
            return Ok(false);
        }
        let more = FIRST.saturating_sub(self.first.len()).min(bytes.len());
        self.first.extend_from_slice(&bytes[..more]);
        self.digest.update(bytes);
        self.waiting.extend_from_slice(bytes);
        while self.waiting.len() >= PIECE {
            self.store(PIECE).await?;
        }
        Ok(true)
    }

    pub async fn finish(mut self) -> Result<Received> {
        let rest = self.waiting.len();
        if rest > 0 {
            self.store(rest).await?;
        }
        Ok(Received { id: self.id, size: self.size, first: self.first, sha256: self.digest.finalize().into() })
    }

    async fn store(&mut self, length: usize) -> Result<()> {
        let piece = self.waiting.split_to(length);
        let (project, id, seq) = (self.project, self.id, self.pieces);
        transact!(self.ctx.store, "upload.piece", tx => {
            if seq == 0 {
                expire_at(tx, project, id, self.ctx.now() + UNCLAIMED).await?;
            }
            uploads::add(tx, project, id, seq, &piece).await
        })?;
        self.pieces += 1;
        Ok(())
    }
}

async fn expire_at(tx: &mut Tx<'_>, project: ProjectId, upload: Uuid, at: Timestamp) -> Result<()> {
    // The job has the file's id, so queuing it again moves it.
    let key = upload.to_string();
    let job = NewJob { id: upload, kind: JobKind::UploadExpire, key: &key, payload: &key, run_at: at };
    jobs::put(&mut tx.scope(project, at), job).await
}

/// Claims a file for a message that is stored in this transaction.
pub async fn claim(tx: &mut Tx<'_>, project: ProjectId, upload: Uuid, size: i64, now: Timestamp) -> Result<()> {
    if uploads::size(tx, project, upload).await? != size {
        return Err(Error::Damaged { what: "upload", why: "its bytes are missing".into() });
    }
    expire_at(tx, project, upload, now + CLAIMED).await
}

/// Keeps a file for as long as its message exists.
pub async fn keep(tx: &mut Tx<'_>, project: ProjectId, upload: Uuid, size: i64) -> Result<()> {
    // The job may delete the file, so it is cancelled before the size is checked. An empty file has
    // no pieces and no job.
    let safe = jobs::cancel(tx, project, JobKind::UploadExpire, &upload.to_string()).await? || size == 0;
    if !safe || uploads::size(tx, project, upload).await? != size {
        return Err(Error::Damaged { what: "upload", why: "its bytes are missing".into() });
    }
    Ok(())
}

/// Deletes a file that is not needed. If this fails, its job does it later.
pub async fn discard(ctx: &Context, project: ProjectId, upload: Uuid) {
    let gone = transact!(ctx.store, "upload.discard", tx => uploads::delete(tx, project, upload).await);
    if let Err(error) = gone {
        tracing::warn!(%upload, %error, "discarded upload will be deleted later");
    }
}

/// Deletes the file of an expiry job.
pub async fn expire(tx: &mut Tx<'_>, project: ProjectId, payload: &str) -> Result<()> {
    let upload = payload.parse().map_err(|_| Error::Damaged { what: "job", why: "not an upload id".into() })?;
    uploads::delete(tx, project, upload).await
}
