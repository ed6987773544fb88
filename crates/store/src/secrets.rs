//! Secrets at rest: one XChaCha20-Poly1305 key per secret, wrapped by the key-encryption key.
//!
//! The associated data is project, kind and id, so a ciphertext moved to another row cannot be
//! decrypted.

use crate::db::{Conn, Error, Result, Scope, Sql, Tx, rows, run, statements, stored_words};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce, aead::{Aead as _, Payload}};
use domain::{words, Timestamp, ids::{ProjectId, SecretId}};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

words! {
    pub enum SecretKind {
        /// Of a WhatsApp config.
        AccessToken = "whatsapp_access_token",
        /// A value of `{{secrets.name}}` in an agent's requests.
        AgentSecret = "agent_secret",
        /// Keys and custom headers of a webhook endpoint.
        HookCredentials = "hook_credentials",
        /// Key of a project's model provider. Its id is that of the provider.
        ModelProviderKey = "model_provider_key",
        /// Meta's token of a setup link, until a number is chosen. Its id is that of the link.
        SignUpToken = "sign_up_token",
    }
}
stored_words!(SecretKind);

/// Encrypts and decrypts secrets with one key-encryption key.
#[derive(Clone)]
pub struct Vault {
    key: [u8; 32],
    key_id: String,
}

rows! {
    struct Sealed {
        ciphertext: Vec<u8>,
        nonce: Vec<u8>,
        wrapped_key: Vec<u8>,
        wrap_nonce: Vec<u8>,
        kek_id: String,
    }
}

rows! {
    /// A secret of agents in a list, without its value.
    #[derive(Debug, Clone)]
    pub struct NamedSecretRow {
        pub name: String,
        pub created_at: Timestamp,
        /// None if it was never replaced.
        pub updated_at: Option<Timestamp>,
    }
}

statements! {
    INSERT = ["INSERT INTO secrets (project_id, id, kind, ciphertext, nonce, wrapped_key, wrap_nonce, kek_id, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"];
    PUT = ["INSERT INTO secrets (project_id, id, kind, ciphertext, nonce, wrapped_key, wrap_nonce, kek_id, created_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
            ON CONFLICT (project_id, id) DO UPDATE SET ciphertext = excluded.ciphertext, \
            nonce = excluded.nonce, wrapped_key = excluded.wrapped_key, wrap_nonce = excluded.wrap_nonce, kek_id = excluded.kek_id, \
            updated_at = excluded.created_at"];
    NAME = ["UPDATE secrets SET name = $3 WHERE project_id = $1 AND id = $2"];
    NAMED = ["SELECT ", NamedSecretRow, " FROM secrets WHERE project_id = $1 AND name IS NOT NULL \
             ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3"];
    COUNT_NAMED = ["SELECT count(*) FROM secrets WHERE project_id = $1 AND name IS NOT NULL"];
    EXISTS = ["SELECT count(*) FROM secrets WHERE project_id = $1 AND id = $2 AND kind = $3"];
    FIND = ["SELECT ", Sealed, " FROM secrets WHERE project_id = $1 AND id = $2 AND kind = $3"];
    DELETE = ["DELETE FROM secrets WHERE project_id = $1 AND id = $2"];
}

impl Vault {
    /// `key_id` is stored with each secret, for rotation.
    pub fn new(key: [u8; 32], key_id: impl Into<String>) -> Self {
        Self { key, key_id: key_id.into() }
    }

    /// Keyed hash that needs the master key, for tokens that are derived instead of stored. Not for
    /// the fingerprint of the key, which has a message of its own.
    pub fn mac(&self, message: &[u8]) -> [u8; 32] {
        let Ok(mut mac) = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&self.key) else {
            unreachable!("HMAC takes keys of any length")
        };
        mac.update(b"chasqui: derived token, 1\0");
        mac.update(message);
        mac.finalize().into_bytes().into()
    }

    fn seal(&self, aad: &[u8], plain: &[u8]) -> Result<Sealed> {
        let (data_key, nonce, wrap_nonce) = (random::<32>()?, random::<24>()?, random::<24>()?);
        Ok(Sealed {
            ciphertext: encrypt(&data_key, &nonce, aad, plain)?,
            wrapped_key: encrypt(&self.key, &wrap_nonce, aad, &data_key)?,
            nonce: nonce.to_vec(),
            wrap_nonce: wrap_nonce.to_vec(),
            kek_id: self.key_id.clone(),
        })
    }

    fn open(&self, aad: &[u8], sealed: &Sealed) -> Result<Vec<u8>> {
        if sealed.kek_id != self.key_id {
            return Err(damaged("it was sealed with another master key"));
        }
        let data_key: [u8; 32] =
            decrypt(&self.key, &sealed.wrap_nonce, aad, &sealed.wrapped_key)?.try_into().map_err(|_| damaged("key length"))?;
        decrypt(&data_key, &sealed.nonce, aad, &sealed.ciphertext)
    }
}

/// Encrypts and stores a secret.
pub async fn insert(s: &mut Scope<'_, '_>, vault: &Vault, id: SecretId, kind: SecretKind, plain: &str) -> Result<()> {
    write(s, INSERT, vault, id, kind, plain).await
}

/// Nothing may refer to the secret any more.
pub async fn delete(tx: &mut Tx<'_>, project: ProjectId, id: SecretId) -> Result<()> {
    run!(tx, DELETE, [project, id], execute).map(drop)
}

/// Encrypts and stores a secret; replaces an existing one.
pub async fn put(s: &mut Scope<'_, '_>, vault: &Vault, id: SecretId, kind: SecretKind, plain: &str) -> Result<()> {
    write(s, PUT, vault, id, kind, plain).await
}

/// Sets the name under which a secret is listed.
pub async fn set_name(tx: &mut Tx<'_>, project: ProjectId, id: SecretId, name: &str) -> Result<()> {
    run!(tx, NAME, [project, id, name], execute).map(drop)
}

/// A page of the named secrets, newest first, and their number.
pub async fn named(conn: &mut Conn<'_>, project: ProjectId, limit: i64, offset: i64) -> Result<(Vec<NamedSecretRow>, i64)> {
    let rows = run!(conn, NAMED, [project, limit, offset], fetch_all as NamedSecretRow)?;
    let (total,) = run!(conn, COUNT_NAMED, [project], fetch_one as (i64,))?;
    Ok((rows, total))
}

/// True if there is a secret of this kind; does not decrypt it.
pub async fn exists(conn: &mut Conn<'_>, project: ProjectId, id: SecretId, kind: SecretKind) -> Result<bool> {
    Ok(run!(conn, EXISTS, [project, id, kind], fetch_one as (i64,))?.0 > 0)
}

async fn write(s: &mut Scope<'_, '_>, sql: Sql, vault: &Vault, id: SecretId, kind: SecretKind, plain: &str) -> Result<()> {
    let (project, now) = (s.project, s.now);
    let c = vault.seal(&associated(project, kind, id), plain.as_bytes())?;
    run!(s, sql, [project, id, kind, c.ciphertext, c.nonce, c.wrapped_key, c.wrap_nonce, c.kek_id, now], execute).map(drop)
}

/// Decrypts a stored secret.
pub async fn reveal(conn: &mut Conn<'_>, vault: &Vault, project: ProjectId, id: SecretId, kind: SecretKind) -> Result<Option<String>> {
    let Some(sealed) = run!(conn, FIND, [project, id, kind], fetch_optional as Sealed)? else { return Ok(None) };
    let plain = vault.open(&associated(project, kind, id), &sealed)?;
    String::from_utf8(plain).map(Some).map_err(|_| damaged("not UTF-8"))
}

fn associated(project: ProjectId, kind: SecretKind, id: SecretId) -> Vec<u8> {
    format!("{project}/{kind}/{id}").into_bytes()
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::Unavailable(format!("random source: {error}")))?;
    Ok(bytes)
}

fn encrypt(key: &[u8; 32], nonce: &[u8; 24], aad: &[u8], msg: &[u8]) -> Result<Vec<u8>> {
    XChaCha20Poly1305::new(key.into()).encrypt(&XNonce::from(*nonce), Payload { msg, aad }).map_err(|_| damaged("cannot be sealed"))
}

fn decrypt(key: &[u8; 32], nonce: &[u8], aad: &[u8], msg: &[u8]) -> Result<Vec<u8>> {
    let nonce: [u8; 24] = nonce.try_into().map_err(|_| damaged("nonce length"))?;
    XChaCha20Poly1305::new(key.into())
        .decrypt(&XNonce::from(nonce), Payload { msg, aad })
        .map_err(|_| damaged("wrong master key, or the row was changed"))
}

fn damaged(why: &str) -> Error {
    Error::Damaged { what: "secret", why: why.into() }
}
