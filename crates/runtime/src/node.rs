//! Identity of this node: `<node>/<boot>` owns its leases.
//!
//! The node id is a file in the data folder that the running server keeps locked. After a restart,
//! leases of this id are known to be its own earlier ones and are voided at once. If the file
//! cannot be locked or written (a second server on the folder, a read-only folder), the id is new
//! and old leases expire by themselves.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, Write as _},
    path::Path,
};

const FILE: &str = "node-id";

/// Holds the lock of the node id while it lives.
pub struct Node {
    id: String,
    boot: String,
    file: Option<File>,
}

impl Node {
    /// `fresh` is the id for a folder without one; `boot` distinguishes this process from earlier
    /// ones.
    pub fn of(folder: &Path, fresh: String, boot: String) -> Self {
        match lock_id(folder, &fresh) {
            Ok((id, file)) => Self { id, boot, file: Some(file) },
            Err(why) => {
                tracing::warn!(%why, "no permanent node id; leases of an earlier process of this node expire by themselves");
                Self { id: fresh, boot, file: None }
            }
        }
    }

    /// True if the folder and its id belong to this process alone.
    pub const fn is_permanent(&self) -> bool {
        self.file.is_some()
    }

    /// The common prefix of all owners of this node's leases.
    pub fn prefix(&self) -> String {
        format!("{}/", self.id)
    }

    /// The owner of this process's leases.
    pub fn owner(&self) -> String {
        format!("{}/{}", self.id, self.boot)
    }
}

fn lock_id(folder: &Path, fresh: &str) -> std::io::Result<(String, File)> {
    crate::data_dir::create(folder)?;
    let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(folder.join(FILE))?;
    file.try_lock()?;
    let mut id = String::new();
    file.read_to_string(&mut id)?;
    // Anything else was left by a crash during the first start.
    if id.len() == fresh.len() && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok((id, file));
    }
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(fresh.as_bytes())?;
    file.sync_all()?;
    Ok((fresh.to_owned(), file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_id_survives_restarts_and_a_second_server_gets_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let node = |fresh: &str, boot: &str| Node::of(folder.path(), fresh.into(), boot.into());
        let first = node("aaaa", "1");
        assert_eq!(first.owner(), "aaaa/1");
        assert_eq!(node("bbbb", "2").owner(), "bbbb/2", "the first one still runs");
        drop(first);
        let again = node("cccc", "3");
        assert_eq!(again.owner(), "aaaa/3");
        assert!(again.owner().starts_with(&again.prefix()));
        drop(again);
        std::fs::write(folder.path().join(FILE), "aa").unwrap();
        assert_eq!(node("dddd", "4").owner(), "dddd/4", "half an id is none");
    }
}
