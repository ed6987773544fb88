//! Ids that follow from what they name.

use domain::ids::ProjectId;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// An id that follows from what it names: a repeated transaction makes the same one.
pub fn derived(project: ProjectId, kind: &str, key: &str) -> Uuid {
    let digest = Sha256::digest(format!("{project}/{kind}/{key}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Uuid::new_v8(bytes)
}
