//! The data folder.

use std::path::Path;

/// Creates a folder that only its owner can read: it holds customers' messages and the master key.
pub fn create(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
