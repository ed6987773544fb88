//! Reads the files of a library or binary into its module tree.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::collect;
use super::tree::{Declared, Module, Tree};

/// `lib.rs`, `main.rs`, and the binaries in `bin`.
pub fn entry_points(src: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = ["lib.rs", "main.rs"].iter().map(|name| src.join(name)).collect();
    for entry in fs::read_dir(src.join("bin")).into_iter().flatten().flatten() {
        let path = entry.path();
        found.push(if path.is_dir() { path.join("main.rs") } else { path });
    }
    found.retain(|path| path.is_file());
    found.sort();
    found
}

/// Parses the file and all modules that it declares. `read` takes paths from the root of the
/// workspace.
pub fn parse(entry: &str, read: &dyn Fn(&str) -> Option<String>) -> Result<Tree> {
    let mut tree = Tree { modules: vec![Module::default()], ..Tree::default() };
    add_file(&mut tree, entry.to_owned(), 0, read)?;
    Ok(tree)
}

fn add_file(tree: &mut Tree, file: String, module: usize, read: &dyn Fn(&str) -> Option<String>) -> Result<()> {
    let text = read(&file).with_context(|| format!("cannot read {file}"))?;
    let syntax = syn::parse_file(&text).with_context(|| format!("cannot parse {file}"))?;
    tree.modules[module].file = tree.files.len();
    tree.files.push(file.clone());
    for declared in collect::file(tree, module, &syntax) {
        let candidates = candidates(&declared, &file);
        let found = candidates.iter().find(|path| read(path).is_some());
        if found.is_none() && declared.by_macro {
            continue;
        }
        let found = found.with_context(|| format!("{file} declares a module that is not in {candidates:?}"))?;
        let module = tree.add_module(declared.parent, &declared.name);
        add_file(tree, found.clone(), module, read)?;
    }
    Ok(())
}

fn candidates(declared: &Declared, file: &str) -> Vec<String> {
    let path = Path::new(file);
    let folder = path.parent().unwrap_or(Path::new(""));
    if let Some(given) = &declared.path {
        return vec![folder.join(given).to_string_lossy().into_owned()];
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    // Only entry points and `mod.rs` have their modules in the folder that they are in.
    let is_entry = folder.ends_with("bin") || ["mod", "lib", "main"].contains(&stem.as_ref());
    let mut folder = if is_entry { folder.to_owned() } else { folder.join(stem.as_ref()) };
    folder.extend(&declared.inside);
    let name = &declared.name;
    [format!("{name}.rs"), format!("{name}/mod.rs")].map(|file| folder.join(file).to_string_lossy().into_owned()).into()
}
