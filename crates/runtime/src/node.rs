//! Which node this is, over restarts, and which life of it: `<node>/<boot>` is the owner of its leases.
//!
//! The node's id is a file in the data folder that the running server keeps locked. So a node that comes back knows that
//! leases of its id are those of an earlier life, and need not wait until they run out. Where the file cannot be had (a
//! second server on the folder, a folder that cannot be written) the id is a new one and old leases run out by themselves.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, Write as _},
    path::Path,
};

const FILE: &str = "node-id";

/// This node, for as long as the value lives.
pub struct Node {
    id: String,
    boot: String,
    _file: Option<File>,
}

impl Node {
    /// The node of a data folder. `fresh` is the id of one that has none yet; `boot` tells this life from earlier ones.
    pub fn of(folder: &Path, fresh: String, boot: String) -> Self {
        match own(folder, &fresh) {
            Ok((id, file)) => Self { id, boot, _file: Some(file) },
            Err(why) => {
                tracing::warn!(%why, "no lasting node id; leases of an earlier life of this node run out by themselves");
                Self { id: fresh, boot, _file: None }
            }
        }
    }

    /// What all owners of its lives begin with.
    pub fn prefix(&self) -> String {
        format!("{}/", self.id)
    }

    /// The owner of this life's leases.
    pub fn owner(&self) -> String {
        format!("{}/{}", self.id, self.boot)
    }
}

fn own(folder: &Path, fresh: &str) -> std::io::Result<(String, File)> {
    crate::data_dir::make_folder(folder)?;
    let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(folder.join(FILE))?;
    file.try_lock()?;
    let mut id = String::new();
    file.read_to_string(&mut id)?;
    // Anything else is what a crash left of the first start.
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
    fn a_node_keeps_its_id_over_restarts_and_a_second_server_on_the_folder_is_another_node() {
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
