//! Deterministic ids: a repeated transaction creates the same rows.

use domain::ids::ProjectId;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

pub fn derived_id(project: ProjectId, kind: &str, key: &str) -> Uuid {
    let digest = Sha256::digest(format!("{project}/{kind}/{key}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Uuid::new_v8(bytes)
}
