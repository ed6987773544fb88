//! Compresses the dashboard's files, which are committed, and lists them for `src/assets.rs`.

use flate2::{Compression, write::GzEncoder};
use std::{
    env, fs,
    io::{self, Write as _},
    path::Path,
};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=assets/app");
    println!("cargo::rerun-if-changed=build.rs");
    let folder = Path::new("assets/app");
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    let out = Path::new(&out);
    let mut names = Vec::new();
    collect(folder, "", &mut names)?;
    names.sort_unstable();
    let mut table = String::from("[\n");
    for (number, name) in names.iter().filter(|name| *name != "index.html").enumerate() {
        let mut compressed = GzEncoder::new(Vec::new(), Compression::best());
        compressed.write_all(&fs::read(folder.join(name))?)?;
        let file = format!("app-{number}.gz");
        fs::write(out.join(&file), compressed.finish()?)?;
        table += &format!("    ({name:?}, include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{file}\")) as &[u8]),\n");
    }
    fs::write(out.join("app.rs"), table + "]\n")
}

fn collect(folder: &Path, prefix: &str, names: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{name}/"), names)?;
        } else {
            names.push(name);
        }
    }
    Ok(())
}
