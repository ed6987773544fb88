//! Text files of the repository.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// One file; its path counts from the root of the repository.
pub struct TextFile {
    pub path: String,
    pub text: String,
}

/// Files with one of these extensions below `root`, in order of path, without hidden folders and
/// build output.
pub fn with_extensions(root: &Path, extensions: &[&str]) -> Result<Vec<TextFile>> {
    let mut found = Vec::new();
    walk(root, root, extensions, &mut found)?;
    Ok(found)
}

fn walk(root: &Path, folder: &Path, extensions: &[&str], found: &mut Vec<TextFile>) -> Result<()> {
    let list = || format!("cannot list {}", folder.display());
    let mut entries = fs::read_dir(folder).with_context(list)?.collect::<Result<Vec<_>, _>>().with_context(list)?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if entry.file_type().with_context(list)?.is_dir() {
            if name != "target" && name != "node_modules" && !name.starts_with('.') {
                walk(root, &path, extensions, found)?;
            }
        } else if name.rsplit_once('.').is_some_and(|(_, extension)| extensions.contains(&extension)) {
            let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let path = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            found.push(TextFile { path, text });
        }
    }
    Ok(())
}
