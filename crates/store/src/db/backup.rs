//! Copies of an SQLite database, taken while others write.

use crate::db::{error::Error, inspection::read_only, paths::beside, sqlite};
use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
    config::DbConfig,
};
use std::{
    fs::{File, OpenOptions},
    path::Path,
    time::Duration,
};

/// Setting that a backup has and a database in use does not.
pub const BACKUP_MARK: &str = "backup";

/// Tries of a copy that another process blocks.
const TRIES: u32 = 100;

/// Writes a verified backup of a database to `file`, which must not exist. Its content is one
/// moment of the original. Only its owner can read it.
pub fn back_up(database: &Path, file: &Path) -> Result<(), Error> {
    let access = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(database, access)?;
    source.busy_timeout(sqlite::BUSY)?;
    // The log of a killed server stays as it is.
    source.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    write(&source, file, &|copy| {
        let mark = "INSERT INTO platform_settings (name, value) VALUES (?1, x'')";
        copy.execute(mark, [BACKUP_MARK]).map(drop)
    })
}

/// Writes the content of a backup to `file`, which must not exist, and verifies it. The copy still
/// has the mark of a backup.
pub fn restore(backup: &Path, file: &Path) -> Result<(), Error> {
    write(&read_only(backup)?, file, &|_| Ok(()))
}

/// Under another name until it is complete, so that a killed process leaves nothing that looks
/// like a copy.
fn write(source: &Connection, file: &Path, finish: &dyn Fn(&Connection) -> rusqlite::Result<()>) -> Result<(), Error> {
    let partial = beside(file, ".partial");
    create(&partial)?;
    let written = copy(source, &partial, finish).and_then(|()| {
        // `rename` would replace a file that appeared meanwhile.
        if file.exists() {
            return Err(Error::Unavailable(format!("{} exists", file.display())));
        }
        std::fs::rename(&partial, file).and_then(|()| sync_folder(file)).map_err(|error| io(file, &error))
    });
    if written.is_err() {
        for path in [partial.clone(), beside(&partial, "-journal")] {
            let _ = std::fs::remove_file(path);
        }
    }
    written
}

fn copy(
    source: &Connection,
    partial: &Path,
    finish: &dyn Fn(&Connection) -> rusqlite::Result<()>,
) -> Result<(), Error> {
    let access = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(partial, access)?;
    {
        let backup = Backup::new(source, &mut conn)?;
        let mut tries = 0;
        // All pages in one step: they are of one moment, and writers do not restart the copy.
        while backup.step(-1)? != StepResult::Done {
            tries += 1;
            if tries > TRIES {
                return Err(Error::Unavailable("the database is locked by another process".into()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    // The file is complete without a log beside it.
    conn.pragma_update(None, "journal_mode", "DELETE")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    finish(&conn)?;
    let (verdict,): (String,) = sqlite::fetch_one(&conn, "PRAGMA integrity_check(1)", &[])?;
    if verdict != "ok" {
        return Err(Error::Damaged { what: "database", why: verdict });
    }
    conn.close().map_err(|(_, error)| error)?;
    File::open(partial).and_then(|file| file.sync_all()).map_err(|error| io(partial, &error))
}

fn create(path: &Path) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(Error::Unavailable(format!(
            "{} exists: another copy is being written, or one was interrupted; then delete it",
            path.display()
        ))),
        Err(error) => Err(io(path, &error)),
    }
}

fn sync_folder(file: &Path) -> std::io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn io(path: &Path, error: &std::io::Error) -> Error {
    Error::Unavailable(format!("{}: {error}", path.display()))
}
