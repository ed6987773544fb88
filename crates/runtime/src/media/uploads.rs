//! Files that come over the API, or from WhatsApp: where their bytes are, and what becomes of those that nobody needs.
//!
//! WhatsApp gets a file from the outbox worker, like everything else, and the message must survive a crash; so the bytes wait
//! in the database ([decision 7](../../../../docs/decisions/0007-uploads-stored-in-the-database.md)). They are written piece by piece
//! while they arrive, before it is known whether a message comes of them. A job, put with the first piece, sees to it that
//! none stays for ever.

use crate::{Context, outbox::WaitingFile};
use bytes::BytesMut;
use domain::{Span, Timestamp, file, ids::ProjectId, job::JobKind};
use sha2::{Digest as _, Sha256};
use store::{
    Error, Result, Tx,
    jobs::{self, NewJob},
    transact, uploads,
};
use uuid::Uuid;

/// One commit each: small enough that others do not wait for it. Only a file's last piece is smaller.
pub const PIECE: usize = 512 * 1024;
/// How many bytes tell what a file is.
const FIRST: usize = 16;
/// No message comes of a file that has waited this long for one.
const UNCLAIMED: Span = Span::from_hours(1);
/// By then its message was sent or given up.
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

/// A file that was received whole.
#[derive(Debug, Clone)]
pub struct Received {
    /// Names its pieces.
    pub id: Uuid,
    /// In bytes.
    pub size: usize,
    /// Its first bytes.
    pub first: Vec<u8>,
    /// Of all of it.
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

    /// Names its pieces.
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// Takes what came. `false`: it is larger than any file may be.
    pub async fn take(&mut self, bytes: &[u8]) -> Result<bool> {
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

    /// There is no more of it.
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
    // The job has the file's own id: putting it again moves it.
    let key = upload.to_string();
    let job = NewJob { id: upload, kind: JobKind::UploadExpire, key: &key, payload: &key, run_at: at };
    jobs::put(&mut tx.scope(project, at), job).await
}

/// A message has come of the file, in this transaction.
pub async fn claim(tx: &mut Tx<'_>, project: ProjectId, file: &WaitingFile, now: Timestamp) -> Result<()> {
    if uploads::size(tx, project, file.upload).await? != file.size {
        return Err(Error::Damaged { what: "upload", why: "its bytes are gone".into() });
    }
    expire_at(tx, project, file.upload, now + CLAIMED).await
}

/// A message keeps the file for as long as it lives itself, from this transaction on.
pub async fn keep(tx: &mut Tx<'_>, project: ProjectId, upload: Uuid, size: i64) -> Result<()> {
    // Whoever has the job may delete the file, so the job is taken before it is looked whether all of it is there. An empty
    // file has no pieces and no job.
    let safe = jobs::cancel(tx, project, JobKind::UploadExpire, &upload.to_string()).await? || size == 0;
    if !safe || uploads::size(tx, project, upload).await? != size {
        return Err(Error::Damaged { what: "upload", why: "its bytes are gone".into() });
    }
    Ok(())
}

/// Nothing came of the file. If this fails, its job does it later.
pub async fn discard(ctx: &Context, project: ProjectId, upload: Uuid) {
    let gone = transact!(ctx.store, "upload.discard", tx => uploads::delete(tx, project, upload).await);
    if let Err(error) = gone {
        tracing::warn!(%upload, %error, "a refused upload is deleted later");
    }
}

/// Deletes what is left of the file that a job names.
pub async fn expire(tx: &mut Tx<'_>, project: ProjectId, payload: &str) -> Result<()> {
    let upload = payload.parse().map_err(|_| Error::Damaged { what: "job", why: "not an upload's id".into() })?;
    uploads::delete(tx, project, upload).await
}
