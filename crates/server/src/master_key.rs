//! The master key, which wraps all stored secrets: configured, or a file in the data folder.
//!
//! The database holds a fingerprint of the key that it was first used with, so that a node with
//! another key is refused before it writes a secret that the others cannot read. The fingerprint
//! is keyed: it does not help to find the key.

use crate::Config;
use gateways::whatsapp::token::mac;
use runtime::data_dir;
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write as _},
    path::PathBuf,
};
use store::{Conn, Error, Store, platform_settings, secrets, secrets::Vault, transact, unscoped};

const FINGERPRINT: &str = "master_key_fingerprint";
/// Changes only together with the name above.
const FINGERPRINT_OF: &[u8] = b"chasqui: fingerprint of the master key, 1";
const FILE: &str = "master.key";

/// 32 random bytes.
pub(crate) type Key = [u8; 32];

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("{0}")]
    File(String),
    #[error("it must be 64 hex digits")]
    Malformed,
    #[error("all its bytes are equal; make one with: openssl rand -hex 32")]
    Guessable,
    #[error("{0} can be read by others; run: chmod 600 {0}")]
    Readable(String),
    /// The database was first used with another key.
    #[error("{0}")]
    Other(String),
    #[error("{0}")]
    Store(#[from] Error),
}

/// Relation of a key to a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Relation {
    /// The database was not used with any key.
    Unused,
    Same,
    /// It was used with another key, of this fingerprint if that is stored.
    Other(Option<String>),
}

/// Compares a key with the one that the database was first used with. A database of a version
/// that stored no fingerprint is tried with one of its secrets.
pub(crate) async fn relation(conn: &mut Conn<'_>, key: Option<&Key>) -> store::Result<Relation> {
    if let Some(stored) = platform_settings::find(conn, FINGERPRINT).await? {
        let same = key.is_some_and(|key| fingerprint(key) == stored);
        return Ok(if same { Relation::Same } else { Relation::Other(Some(hex(&stored))) });
    }
    let Some(secret) = unscoped::any_secret(conn).await? else { return Ok(Relation::Unused) };
    let Some(key) = key else { return Ok(Relation::Other(None)) };
    match secrets::reveal(conn, &vault(key), secret.project_id, secret.id, secret.kind).await {
        Ok(_) => Ok(Relation::Same),
        Err(Error::Damaged { .. }) => Ok(Relation::Other(None)),
        Err(error) => Err(error),
    }
}

/// Message for a database of another key.
pub(crate) fn refusal(config: &Config, key: Option<&Key>, stored: Option<&str>) -> KeyError {
    let file = path(config).display().to_string();
    let theirs = stored.map_or(String::new(), |stored| format!(" (fingerprint {stored})"));
    let ours = match key {
        Some(key) if config.master_key.is_some() => format!("CHASQUI_MASTER_KEY has {}", shown(key)),
        Some(key) => format!("{file} has {}", shown(key)),
        None => format!("there is no {file} and CHASQUI_MASTER_KEY is not set"),
    };
    KeyError::Other(format!(
        "this database holds secrets of another master key{theirs}; {ours}. Set CHASQUI_MASTER_KEY to that key, or \
         copy the master.key of the first node, or of the backup, to {file}"
    ))
}

/// The key for this database, before anything is written to it. A new key is created only for a
/// database that was not used with any.
pub(crate) async fn establish(config: &Config, relation: Relation, key: Option<Key>) -> Result<(Key, bool), KeyError> {
    match (relation, key) {
        (Relation::Same | Relation::Unused, Some(key)) => Ok((key, false)),
        (Relation::Unused, None) => create(config).map(|key| (key, true)),
        (Relation::Other(stored), key) => Err(refusal(config, key.as_ref(), stored.as_deref())),
        (Relation::Same, None) => Err(refusal(config, None, None)),
    }
}

/// Stores the fingerprint at the first start. Refuses if another node was faster with another key;
/// a file that was `created` for this start is deleted again, so that the right one can be copied.
pub(crate) async fn remember(config: &Config, store: &Store, key: &Key, created: bool) -> Result<(), KeyError> {
    let ours = fingerprint(key);
    let stored = transact!(store, "start.master_key", tx => platform_settings::ensure(tx, FINGERPRINT, &ours).await)?;
    if stored == ours {
        return Ok(());
    }
    if created {
        let _ = std::fs::remove_file(path(config));
    }
    Err(refusal(config, Some(key), Some(&hex(&stored))))
}

/// The configured key, or the one in the data folder; `None` if there is neither.
pub(crate) fn load(config: &Config) -> Result<Option<Key>, KeyError> {
    if let Some(key) = &config.master_key {
        return read(key.expose_secret()).map(Some);
    }
    match std::fs::read_to_string(path(config)) {
        Ok(text) => private(config).and_then(|()| read(text.trim())).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file_error(config, &error)),
    }
}

/// Refuses a file that its group or others can read.
#[cfg(unix)]
fn private(config: &Config) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt as _;
    let path = path(config);
    let file = std::fs::metadata(&path).map_err(|error| file_error(config, &error))?;
    if file.permissions().mode() & 0o077 != 0 {
        return Err(KeyError::Readable(path.display().to_string()));
    }
    Ok(())
}

#[cfg(not(unix))]
fn private(_: &Config) -> Result<(), KeyError> {
    Ok(())
}

/// Writes a new key that only its owner can read.
fn create(config: &Config) -> Result<Key, KeyError> {
    let failed = |error: std::io::Error| file_error(config, &error);
    data_dir::create(&config.data_dir).map_err(failed)?;
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| KeyError::File(format!("random source: {error}")))?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path(config)) {
        Ok(mut file) => file.write_all(hex(&key).as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?,
        // Another process created the file first; use its key.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return load(config)?.ok_or_else(|| failed(error)),
        Err(error) => return Err(failed(error)),
    }
    Ok(key)
}

fn path(config: &Config) -> PathBuf {
    config.data_dir.join(FILE)
}

fn file_error(config: &Config, error: &std::io::Error) -> KeyError {
    KeyError::File(format!("{}: {error}", path(config).display()))
}

fn read(text: &str) -> Result<Key, KeyError> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(KeyError::Malformed);
    }
    let mut key = [0; 32];
    for (place, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[place * 2..place * 2 + 2], 16).map_err(|_| KeyError::Malformed)?;
    }
    if key.iter().all(|byte| *byte == key[0]) {
        return Err(KeyError::Guessable);
    }
    Ok(key)
}

/// Encrypts and decrypts with this key.
pub(crate) fn vault(key: &Key) -> Vault {
    Vault::new(*key, id(key))
}

/// Stored with each secret, for rotation.
pub(crate) fn id(key: &Key) -> String {
    let mut digest = Sha256::new();
    digest.update(b"id");
    digest.update(key);
    hex(&digest.finalize()[..6])
}

/// 16 bytes of HMAC-SHA256 of a constant.
fn fingerprint(key: &Key) -> Vec<u8> {
    mac(key, FINGERPRINT_OF)[..16].to_vec()
}

/// Fingerprint as text.
pub(crate) fn shown(key: &Key) -> String {
    hex(&fingerprint(key))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_64_hex_digits_are_a_key() {
        assert_eq!(read(&"0f0E".repeat(16)).unwrap()[..2], [15, 14]);
        for bad in ["", "0f", &"0g".repeat(32), &"+f".repeat(32), &"é".repeat(32)] {
            assert!(matches!(read(bad), Err(KeyError::Malformed)), "{bad}");
        }
        for bad in ["00", "11", "ab"] {
            assert!(matches!(read(&bad.repeat(32)), Err(KeyError::Guessable)), "{bad}");
        }
    }

    #[test]
    fn fingerprint_is_neither_the_key_nor_its_id() {
        let (key, other) = ([7; 32], [8; 32]);
        assert_ne!(shown(&key), shown(&other));
        assert!(!shown(&key).contains(&id(&key)) && !hex(&key).contains(&shown(&key)));
    }
}
