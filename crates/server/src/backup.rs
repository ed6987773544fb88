//! `chasqui backup` and `chasqui restore`.
//!
//! A backup is a copy of the SQLite file at one moment, with the wrapped secrets and without the
//! master key. PostgreSQL has tools of its own for the copy; the quarantine after it is the same.

use crate::{
    Config,
    lock::{self, LockError},
    master_key::{self, KeyError, Relation},
};
use runtime::quarantine::{self, Quarantined};
use std::path::{Path, PathBuf};
use store::{BACKUP_MARK, DatabaseUrl, Inspection, Schema, Store, backup, platform_settings, side_files, transact};

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("database: {0}")]
    Store(#[from] store::Error),
    #[error("{0}")]
    Lock(#[from] LockError),
    #[error("master key: {0}")]
    MasterKey(#[from] KeyError),
    #[error("there is no database at {0}; name its folder with --data-dir")]
    NoDatabase(String),
    #[error("{0} exists; a backup never replaces a file")]
    Exists(String),
    #[error("{0} is not empty: it has a database; restore into another folder with --data-dir")]
    NotEmpty(String),
    #[error("{0} is not a backup: {1}")]
    NotABackup(String, String),
    #[error(
        "backup and restore copy SQLite files; for PostgreSQL use pg_dump and pg_restore, then: chasqui restore --quarantine-only"
    )]
    Postgres,
}

/// A finished backup.
#[derive(Debug)]
pub struct BackedUp {
    pub bytes: u64,
    /// Fingerprint of the master key that a restore needs, if it was found.
    pub master_key: Option<String>,
}

/// A finished restore.
#[derive(Debug)]
pub struct Restored {
    /// `None` if it was not asked for.
    pub quarantined: Option<Quarantined>,
    /// False if the master key is still to be put in place.
    pub has_master_key: bool,
}

/// Writes a backup, also while a server runs.
pub async fn back_up(config: &Config, file: &Path) -> Result<BackedUp, BackupError> {
    let database = sqlite_path(config)?;
    let Some(mut look) = Inspection::open(&config.database).await? else {
        return Err(BackupError::NoDatabase(database.display().to_string()));
    };
    if look.schema().await? == Schema::Empty {
        return Err(BackupError::NoDatabase(database.display().to_string()));
    }
    drop(look);
    if file.exists() {
        return Err(BackupError::Exists(file.display().to_string()));
    }
    let copy = file.to_owned();
    blocking(move || backup::back_up(&database, &copy)).await?;
    let bytes = std::fs::metadata(file).map_or(0, |file| file.len());
    let master_key = master_key::load(config).ok().flatten().map(|key| master_key::shown(&key));
    Ok(BackedUp { bytes, master_key })
}

/// Puts a backup in place of a database that does not exist yet. Without `quarantine` the work that
/// was open in the backup is done: the original must have been stopped before the backup was made.
pub async fn restore(config: &Config, file: &Path, quarantine: bool) -> Result<Restored, BackupError> {
    let database = sqlite_path(config)?;
    let _lock = lock::take(&database)?;
    let [log, ..] = side_files(&database);
    if database.exists() || log.exists() {
        return Err(BackupError::NotEmpty(database.display().to_string()));
    }
    let not_a_backup = |why: String| BackupError::NotABackup(file.display().to_string(), why);
    let source = DatabaseUrl::Sqlite(file.to_owned());
    let look = Inspection::open(&source).await.map_err(|error| not_a_backup(error.to_string()))?;
    let Some(mut look) = look else { return Err(not_a_backup("there is no such file".into())) };
    match look.schema().await.map_err(|error| not_a_backup(error.to_string()))? {
        Schema::Empty => return Err(not_a_backup("it has no tables of Chasqui".into())),
        Schema::Newer => return Err(not_a_backup("a newer version of Chasqui wrote it".into())),
        Schema::Current | Schema::Older(_) => {}
    }
    let key = master_key::load(config)?;
    let relation = master_key::relation(&mut look.conn(), key.as_ref()).await?;
    if let (Some(key), Relation::Other(stored)) = (&key, &relation) {
        return Err(master_key::refusal(config, Some(key), stored.as_deref()).into());
    }
    drop(look);
    // Under another name until the quarantine is complete: a server must not find it before.
    let draft = with_ending(&database, ".restoring");
    remove(&draft);
    let (from, to) = (file.to_owned(), draft.clone());
    blocking(move || backup::restore(&from, &to)).await?;
    let prepared = prepare(config, DatabaseUrl::Sqlite(draft.clone()), quarantine).await;
    let quarantined = match prepared {
        Ok(quarantined) => quarantined,
        Err(error) => {
            remove(&draft);
            return Err(error);
        }
    };
    for file in side_files(&draft) {
        let _ = std::fs::remove_file(file);
    }
    std::fs::rename(&draft, &database).map_err(|error| LockError::DataDir(database.display().to_string(), error))?;
    Ok(Restored { quarantined, has_master_key: key.is_some() || relation == Relation::Unused })
}

/// Runs the quarantine on a database that was restored by other means. No node may use it.
pub async fn quarantine_only(config: &Config) -> Result<Restored, BackupError> {
    let _lock = match &config.database {
        DatabaseUrl::Sqlite(path) if !path.exists() => {
            return Err(BackupError::NoDatabase(path.display().to_string()));
        }
        DatabaseUrl::Sqlite(path) => Some(lock::take(path)?),
        DatabaseUrl::Postgres(_) => None,
    };
    let key = master_key::load(config)?;
    let Some(mut look) = Inspection::open(&config.database).await? else {
        return Err(BackupError::NoDatabase(config.database.shown()));
    };
    if look.schema().await? == Schema::Empty {
        return Err(BackupError::NoDatabase(config.database.shown()));
    }
    let relation = master_key::relation(&mut look.conn(), key.as_ref()).await?;
    drop(look);
    let quarantined = prepare(config, config.database.clone(), true).await?;
    let has_master_key = !matches!(relation, Relation::Other(_));
    Ok(Restored { quarantined, has_master_key })
}

/// Migrates a copy, quarantines it, and removes the marks of a backup and of a running server.
async fn prepare(config: &Config, database: DatabaseUrl, quarantine: bool) -> Result<Option<Quarantined>, BackupError> {
    let store = Store::open(&database).await?;
    store.migrate().await?;
    let quarantined = match quarantine {
        true => Some(quarantine::run(&store, config.clock.now()).await?),
        false => None,
    };
    transact!(store, "restore.mark", tx => {
        // The original was running.
        platform_settings::remove(tx, lock::RUNNING).await?;
        platform_settings::remove(tx, BACKUP_MARK).await
    })?;
    store.close().await;
    Ok(quarantined)
}

fn sqlite_path(config: &Config) -> Result<PathBuf, BackupError> {
    match &config.database {
        DatabaseUrl::Sqlite(path) => Ok(path.clone()),
        DatabaseUrl::Postgres(_) => Err(BackupError::Postgres),
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

/// Removes what an interrupted restore has left.
fn remove(draft: &Path) {
    let partial = with_ending(draft, ".partial");
    let copies = [draft.to_owned(), partial].into_iter();
    for path in copies.flat_map(|path| side_files(&path).into_iter().chain([path])) {
        let _ = std::fs::remove_file(path);
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> store::Result<T> + Send + 'static,
) -> Result<T, BackupError> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|error| store::Error::Unavailable(error.to_string()))??)
}
