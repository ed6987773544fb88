//! Media at Meta: upload, metadata, download, delete (docs/spec/whatsapp-cloud-api.md 2.3).
//!
//! A download has two steps: the id gives a URL that is valid for five minutes, and the URL gives
//! the bytes with the token. The token is sent only to Meta's hosts and the configured Graph host,
//! whatever URL a response names.

use super::{
    CallError, GraphClient,
    call::{Call, success, text},
};
use crate::wire;
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use bytes::Bytes;
use reqwest::{Method, Response};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::time::Duration;
use url::Url;

/// Meta's hosts for media, and all their subdomains.
const HOSTS: [&str; 5] = ["lookaside.fbsbx.com", "fbsbx.com", "fbcdn.net", "whatsapp.net", "facebook.com"];
/// Enough for a large file over a slow line.
const TOTAL: Duration = Duration::from_secs(120);

/// Meta's metadata of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaInfo {
    pub id: String,
    /// Valid for five minutes.
    pub url: String,
    /// Possibly with parameters, and not reliable.
    pub mime_type: String,
    /// In hex or base64.
    pub sha256: Option<String>,
    pub file_size: Option<u64>,
}

/// A running download; the file is never in memory as a whole.
#[derive(Debug)]
pub struct Download {
    response: Response,
    token: SecretString,
    info: MediaInfo,
    cap: usize,
    size: usize,
    digest: Sha256,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("the file is larger than {0} bytes")]
    TooLarge(usize),
    /// The size or digest differs from Meta's metadata.
    #[error("the file's bytes are not those that were announced")]
    Altered,
}

#[derive(Debug, Clone)]
pub struct Upload {
    /// For example `image/jpeg`.
    pub mime_type: String,
    /// Shown to contacts for documents.
    pub filename: String,
    pub bytes: Bytes,
}

impl GraphClient {
    /// Uploads a file for a number. The id is valid for 30 days and for this number.
    pub async fn upload_media(
        &self,
        phone_number_id: &str,
        token: &SecretString,
        upload: &Upload,
    ) -> Result<String, CallError> {
        let digest = Sha256::digest(&upload.bytes);
        // Derived from the file's digest, so it does not occur in the file.
        let boundary: String = format!("chasqui-{}", hex(&digest[..16]));
        let call = Call {
            method: Method::POST,
            path: &[phone_number_id, "media"],
            query: &[],
            body: Some((format!("multipart/form-data; boundary={boundary}"), parts(upload, &boundary))),
            total: Some(TOTAL),
        };
        text(&self.call(token, call).await?, "id").ok_or_else(|| CallError::unreadable("id"))
    }

    /// Returns the metadata with a fresh URL. Meta allows at most three calls for a missing file.
    pub async fn media_info(
        &self,
        media_id: &str,
        phone_number_id: &str,
        token: &SecretString,
    ) -> Result<MediaInfo, CallError> {
        let answer = self.call(token, Call::get(&[media_id], &[("phone_number_id", phone_number_id)])).await?;
        Ok(MediaInfo {
            id: media_id.to_owned(),
            url: text(&answer, "url").ok_or_else(|| CallError::unreadable("url"))?,
            mime_type: text(&answer, "mime_type").unwrap_or_else(|| String::from("application/octet-stream")),
            sha256: text(&answer, "sha256"),
            file_size: answer.get("file_size").and_then(|size| size.as_u64().or_else(|| size.as_str()?.parse().ok())),
        })
    }

    /// Starts a download of at most `cap` bytes. An expired URL is refreshed once.
    pub async fn fetch_media(
        &self,
        media_id: &str,
        phone_number_id: &str,
        token: &SecretString,
        cap: usize,
    ) -> Result<(MediaInfo, Download), MediaError> {
        let info = self.media_info(media_id, phone_number_id, token).await?;
        match self.download_media(&info, token, cap).await {
            Err(MediaError::Call(error)) if error.is_missing_object() => {}
            other => return other.map(|download| (info, download)),
        }
        let info = self.media_info(media_id, phone_number_id, token).await?;
        let download = self.download_media(&info, token, cap).await?;
        Ok((info, download))
    }

    /// Starts a download from one of Meta's URLs. Refuses other hosts before connecting, and more
    /// than `cap` announced bytes.
    pub async fn download_media(
        &self,
        info: &MediaInfo,
        token: &SecretString,
        cap: usize,
    ) -> Result<Download, MediaError> {
        let Some((http, base, _)) = self.connection() else {
            return Err(CallError::NotSent { message: String::from("this process has no connection to Meta") }.into());
        };
        if info.file_size.is_some_and(|size| size > cap as u64) {
            return Err(MediaError::TooLarge(cap));
        }
        let url = Url::parse(&info.url).ok().filter(|url| is_metas(url, base));
        let url = url.ok_or_else(|| refused(400, String::from("the file's URL is not one of Meta")))?;
        let sent = http.get(url).timeout(TOTAL).bearer_auth(token.expose_secret()).send().await;
        let response = sent.map_err(|error| broken_off(&error, token))?;
        let status = response.status().as_u16();
        match status {
            200 => {}
            500.. => return Err(CallError::Unknown { message: format!("HTTP {status} for a file") }.into()),
            _ => return Err(refused(status, format!("HTTP {status} for a file")).into()),
        }
        Ok(Download { response, token: token.clone(), info: info.clone(), cap, size: 0, digest: Sha256::new() })
    }

    pub async fn delete_media(
        &self,
        media_id: &str,
        phone_number_id: &str,
        token: &SecretString,
    ) -> Result<(), CallError> {
        success(&self.call(token, Call::delete(&[media_id], &[("phone_number_id", phone_number_id)])).await?)
    }
}

impl Download {
    /// The next bytes; none after a complete and verified file. After an error, discard the bytes
    /// before it.
    pub async fn next(&mut self) -> Result<Option<Bytes>, MediaError> {
        if let Some(bytes) = self.response.chunk().await.map_err(|error| broken_off(&error, &self.token))? {
            self.size += bytes.len();
            self.digest.update(&bytes);
            return if self.size > self.cap { Err(MediaError::TooLarge(self.cap)) } else { Ok(Some(bytes)) };
        }
        let other_size = self.info.file_size.is_some_and(|size| size != self.size as u64);
        let digest = self.digest.clone().finalize();
        if other_size || self.info.sha256.as_ref().is_some_and(|expected| !is_digest(expected, &digest)) {
            return Err(MediaError::Altered);
        }
        Ok(None)
    }
}

fn broken_off(error: &reqwest::Error, token: &SecretString) -> CallError {
    CallError::Unknown { message: wire::presentable(&wire::explain(error), Some(token.expose_secret())) }
}

fn refused(http: u16, message: String) -> CallError {
    let class = super::classify(http, None, false);
    CallError::Refused { class, code: None, subcode: None, http, message, retry_after_ms: None }
}

/// True for the configured Graph host, and for Meta's hosts over TLS.
fn is_metas(url: &Url, base: &Url) -> bool {
    if !url.username().is_empty() || url.password().is_some() {
        return false;
    }
    if url.origin() == base.origin() {
        return true;
    }
    let host = url.domain().unwrap_or_default();
    let below = |known: &str| host == known || host.strip_suffix(known).is_some_and(|rest| rest.ends_with('.'));
    url.scheme() == "https" && url.port_or_known_default() == Some(443) && HOSTS.into_iter().any(below)
}

fn parts(upload: &Upload, boundary: &str) -> Vec<Bytes> {
    // Quotes and line breaks would end the header early.
    let filename: String =
        upload.filename.chars().map(|c| if c.is_control() || matches!(c, '"' | '\\') { '_' } else { c }).collect();
    let mime: String = upload.mime_type.chars().filter(|c| !c.is_control()).collect();
    let field = |name: &str, value: &str| {
        format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let head = format!(
        "{}{}--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{filename}\"\r\n\
         Content-Type: {mime}\r\n\r\n",
        field("messaging_product", "whatsapp"),
        field("type", &mime),
    );
    vec![Bytes::from(head), upload.bytes.clone(), Bytes::from(format!("\r\n--{boundary}--\r\n"))]
}

/// Compares a digest in hex or base64: Meta's sources differ.
fn is_digest(expected: &str, digest: &[u8]) -> bool {
    hex(digest).eq_ignore_ascii_case(expected) || STANDARD_NO_PAD.encode(digest) == expected.trim_end_matches('=')
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_is_sent_only_to_meta_and_the_configured_host() {
        let base = Url::parse("http://127.0.0.1:4100/v25.0").unwrap();
        for (url, expected) in [
            ("http://127.0.0.1:4100/_emulator/media/x", true),
            ("https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1", true),
            ("https://scontent.xx.fbcdn.net/v/1", true),
            ("https://mmg.whatsapp.net/x", true),
            ("http://lookaside.fbsbx.com/x", false),
            ("https://lookaside.fbsbx.com:8443/x", false),
            ("https://evilfbsbx.com/x", false),
            ("https://lookaside.fbsbx.com.evil.example/x", false),
            ("https://lookaside.fbsbx.com@evil.example/x", false),
            ("https://user@lookaside.fbsbx.com/x", false),
            ("http://127.0.0.1:4101/x", false),
            ("https://127.0.0.1:4100/x", false),
            ("http://169.254.169.254/x", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(is_metas(&Url::parse(url).unwrap(), &base), expected, "{url}");
        }
    }

    #[test]
    fn digest_is_compared_in_hex_and_base64() {
        let hex = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        let base64 = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
        for digest in [hex, &hex.to_uppercase(), base64] {
            assert!(is_digest(digest, &Sha256::digest(b"hello")), "{digest}");
            assert!(!is_digest(digest, &Sha256::digest(b"hello!")), "{digest}");
        }
    }

    #[test]
    fn filename_cannot_break_out_of_its_header() {
        let upload = Upload {
            mime_type: String::from("text/plain\r\nX: y"),
            filename: String::from("a\"\r\nX: y"),
            bytes: Bytes::from_static(b"x"),
        };
        let head = String::from_utf8(parts(&upload, "b")[0].to_vec()).unwrap();
        assert!(head.contains("filename=\"a___X: y\"\r\nContent-Type: text/plainX: y\r\n\r\n"), "{head}");
    }
}
