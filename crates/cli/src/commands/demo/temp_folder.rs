//! A temporary folder that only its owner can look into.

use std::{
    fs, io,
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result};

/// Removed with everything in it when dropped.
pub struct Scratch(PathBuf);

impl Scratch {
    /// A new folder.
    pub fn new() -> Result<Self> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let name = format!("chasqui-demo-{}-{:x}", std::process::id(), since.as_nanos());
        let path = std::env::temp_dir().join(name);
        make(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> String {
        self.0.display().to_string()
    }
}

/// Fails if somebody made it before us.
fn make(path: &PathBuf) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left in a temporary folder is the system's to clean.
        let _ = fs::remove_dir_all(&self.0);
    }
}
