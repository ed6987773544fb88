//! Temporary folder that only its owner can read.

use std::{
    fs, io,
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result};

/// A temporary folder; dropping it removes it with its content.
pub struct TempFolder(PathBuf);

impl TempFolder {
    pub fn new() -> Result<Self> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let name = format!("chasqui-demo-{}-{:x}", std::process::id(), since.as_nanos());
        let path = std::env::temp_dir().join(name);
        create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self(path))
    }

    pub fn path(&self) -> String {
        self.0.display().to_string()
    }
}

/// Creates the folder; an error if it exists.
fn create(path: &PathBuf) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        // If this fails, the system cleans its temporary folder later.
        let _ = fs::remove_dir_all(&self.0);
    }
}
