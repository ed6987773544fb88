//! URL of a setup link: `/setup/` and a token of 64 characters.
//!
//! The token is the project's id, the link's id and 128 bits of a keyed hash of both, with the master
//! key. So it is not stored, answers can show it again, and a copy of the database opens no page.

use crate::AppState;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    Id,
    ids::{ProjectId, SetupLinkId},
};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

const IDS: usize = 32;
const MAC: usize = 16;

/// Path of the page, which is a secret.
pub(super) fn path(ctx: &AppState, project: ProjectId, id: SetupLinkId) -> String {
    format!("/setup/{}", token(ctx, project, id))
}

/// Token of a link.
pub(in crate::resources) fn token(ctx: &AppState, project: ProjectId, id: SetupLinkId) -> String {
    let mut token = Vec::with_capacity(IDS + MAC);
    token.extend_from_slice(project.uuid().as_bytes());
    token.extend_from_slice(id.uuid().as_bytes());
    let mac = mac(ctx, &token);
    token.extend_from_slice(&mac);
    URL_SAFE_NO_PAD.encode(token)
}

/// The link of a token that this installation made.
pub(in crate::resources) fn read(ctx: &AppState, token: &str) -> Option<(ProjectId, SetupLinkId)> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok().filter(|bytes| bytes.len() == IDS + MAC)?;
    let (ids, shown) = bytes.split_at(IDS);
    if !bool::from(mac(ctx, ids).as_slice().ct_eq(shown)) {
        return None;
    }
    let (project, id) = ids.split_at(IDS / 2);
    Some((Id::from_uuid(Uuid::from_slice(project).ok()?), Id::from_uuid(Uuid::from_slice(id).ok()?)))
}

fn mac(ctx: &AppState, ids: &[u8]) -> [u8; MAC] {
    let mac = ctx.vault.mac(&[b"setup link: ", ids].concat());
    std::array::from_fn(|at| mac[at])
}
