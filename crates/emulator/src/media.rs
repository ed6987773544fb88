//! Media files: uploaded by the business or sent by contacts.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{clock::Millis, ids::Ids};

const DAY: Millis = 24 * 3_600_000;
/// Lifetime of files that the business uploads.
pub(crate) const UPLOAD_LIFETIME: Millis = 30 * DAY;
/// Lifetime of files that contacts send.
pub(crate) const INBOUND_LIFETIME: Millis = 7 * DAY;
/// Lifetime of a download URL.
const URL_LIFETIME: Millis = 5 * 60_000;
const FIRST_ID: u64 = 700_000_000_000_000;

#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) number: String,
    pub(crate) mime_type: String,
    pub(crate) filename: Option<String>,
    pub(crate) bytes: Bytes,
    /// Size reported by the media endpoint instead of the true one.
    pub(crate) announced_size: Option<u64>,
    pub(crate) expires_at: Millis,
}

impl File {
    fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes).into()
    }

    /// Digest in the form of webhooks.
    pub(crate) fn sha256_base64(&self) -> String {
        STANDARD.encode(self.digest())
    }

    /// Digest in the form of the media endpoint.
    fn sha256_hex(&self) -> String {
        self.digest().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[derive(Default)]
pub(crate) struct Media {
    files: BTreeMap<String, File>,
    /// File id and expiry by download token.
    urls: BTreeMap<String, (String, Millis)>,
}

impl Media {
    /// Stores a file under the given id or the next free one.
    pub(crate) fn add(&mut self, ids: &mut Ids, id: Option<String>, file: File) -> String {
        let id = id.unwrap_or_else(|| (FIRST_ID + 1_000 + ids.count("media")).to_string());
        self.files.insert(id.clone(), file);
        id
    }

    /// Finds a file that has not expired.
    pub(crate) fn get(&self, id: &str, now: Millis) -> Option<&File> {
        self.files.get(id).filter(|file| now < file.expires_at)
    }

    pub(crate) fn remove(&mut self, id: &str) {
        self.files.remove(id);
    }

    /// Creates a download URL below `base`, valid for five minutes.
    pub(crate) fn url(&mut self, ids: &mut Ids, id: &str, base: &str, now: Millis) -> String {
        let token = ids.digits("media-url");
        self.urls.insert(token.clone(), (id.to_owned(), now + URL_LIFETIME));
        format!("{base}/_emulator/media/{token}")
    }

    /// Finds the file of a download token.
    pub(crate) fn by_token(&self, token: &str, now: Millis) -> Option<&File> {
        let (id, until) = self.urls.get(token)?;
        (now < *until).then(|| self.get(id, now))?
    }

    pub(crate) fn describe(&self, id: &str, url: &str, now: Millis) -> Option<Value> {
        let file = self.get(id, now)?;
        Some(json!({
            "messaging_product": "whatsapp",
            "url": url,
            "mime_type": file.mime_type,
            "sha256": file.sha256_hex(),
            "file_size": file.announced_size.unwrap_or(file.bytes.len() as u64),
            "id": id,
        }))
    }
}
