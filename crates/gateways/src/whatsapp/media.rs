//! Files at Meta: upload, look up, download, delete (whatsapp-cloud-api.md 2.3).
//!
//! A download has two steps: the id gives a URL that lives five minutes, the URL gives the bytes to whoever shows the
//! token. The token goes to Meta's hosts and to the Graph host that is configured, and nowhere else, whatever URL an answer
//! names.

use super::{
    CallError, GraphClient,
    call::{Call, success, text},
};
use crate::wire;
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use bytes::Bytes;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::time::Duration;
use url::Url;

/// Hosts of Meta that keep media; also every host below them.
const HOSTS: [&str; 5] = ["lookaside.fbsbx.com", "fbsbx.com", "fbcdn.net", "whatsapp.net", "facebook.com"];
/// A large file over a slow line.
const TOTAL: Duration = Duration::from_secs(120);

/// What Meta says of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaInfo {
    /// Meta's id.
    pub id: String,
    /// Where the bytes are, for five minutes.
    pub url: String,
    /// As Meta says, possibly with parameters: not to be trusted.
    pub mime_type: String,
    /// In hex or base64.
    pub sha256: Option<String>,
    /// In bytes.
    pub file_size: Option<u64>,
}

/// A file to be uploaded.
#[derive(Debug, Clone)]
pub struct Upload {
    /// For example `image/jpeg`.
    pub mime_type: String,
    /// What people see of a document.
    pub filename: String,
    /// The file.
    pub bytes: Bytes,
}

impl GraphClient {
    /// Uploads a file for a number: the answer is its id, good for 30 days and this number.
    pub async fn upload_media(
        &self,
        phone_number_id: &str,
        token: &SecretString,
        upload: &Upload,
    ) -> Result<String, CallError> {
        let digest = Sha256::digest(&upload.bytes);
        // Not in the file: it is named after it.
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

    /// What Meta says of a file, with a fresh URL. Not to be asked more than three times for one that is missing.
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

    /// Looks a file up and downloads it, at most `cap` bytes. A URL that has expired meanwhile is looked up once more.
    pub async fn fetch_media(
        &self,
        media_id: &str,
        phone_number_id: &str,
        token: &SecretString,
        cap: usize,
    ) -> Result<(MediaInfo, Bytes), CallError> {
        let info = self.media_info(media_id, phone_number_id, token).await?;
        match self.download_media(&info, token, cap).await {
            Err(error) if error.is_missing_object() => {}
            other => return other.map(|bytes| (info, bytes)),
        }
        let info = self.media_info(media_id, phone_number_id, token).await?;
        let bytes = self.download_media(&info, token, cap).await?;
        Ok((info, bytes))
    }

    /// The bytes behind a URL of Meta. Refused before connecting when the URL is not Meta's; refused afterwards when the
    /// bytes are more than `cap` or not those that Meta announced.
    pub async fn download_media(&self, info: &MediaInfo, token: &SecretString, cap: usize) -> Result<Bytes, CallError> {
        let Some((http, base, _)) = self.connection() else {
            return Err(CallError::NotSent { message: String::from("no connection to Meta here") });
        };
        if info.file_size.is_some_and(|size| size > cap as u64) {
            return Err(refused(413, format!("the file is larger than {cap} bytes")));
        }
        let url = Url::parse(&info.url).ok().filter(|url| is_metas(url, base));
        let url = url.ok_or_else(|| refused(400, String::from("the file's URL is not one of Meta")))?;
        let clean = |error: &reqwest::Error| wire::presentable(&wire::explain(error), Some(token.expose_secret()));
        let sent = http.get(url).timeout(TOTAL).bearer_auth(token.expose_secret()).send().await;
        let mut response = sent.map_err(|error| CallError::Unknown { message: clean(&error) })?;
        let status = response.status().as_u16();
        match status {
            200 => {}
            500.. => return Err(CallError::Unknown { message: format!("HTTP {status} for a file") }),
            _ => return Err(refused(status, format!("HTTP {status} for a file"))),
        }
        let read = wire::read_capped(&mut response, cap).await;
        let (bytes, cut) = read.map_err(|error| CallError::Unknown { message: clean(&error) })?;
        if cut {
            return Err(refused(413, format!("the file is larger than {cap} bytes")));
        }
        if let Some(expected) = &info.sha256
            && !is_digest_of(expected, &bytes)
        {
            return Err(CallError::Unknown {
                message: String::from("the file's bytes are not those that were announced"),
            });
        }
        Ok(Bytes::from(bytes))
    }

    /// Deletes a file.
    pub async fn delete_media(
        &self,
        media_id: &str,
        phone_number_id: &str,
        token: &SecretString,
    ) -> Result<(), CallError> {
        success(&self.call(token, Call::delete(&[media_id], &[("phone_number_id", phone_number_id)])).await?)
    }
}

fn refused(http: u16, message: String) -> CallError {
    let class = super::classify(http, None, false);
    CallError::Refused { class, code: None, subcode: None, http, message, retry_after_ms: None }
}

/// The configured Graph host on its own terms, Meta's hosts over TLS only.
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

/// Sources differ: hex here, base64 there.
fn is_digest_of(expected: &str, bytes: &[u8]) -> bool {
    let digest = Sha256::digest(bytes);
    hex(&digest).eq_ignore_ascii_case(expected) || STANDARD_NO_PAD.encode(digest) == expected.trim_end_matches('=')
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_shown_to_meta_and_to_the_configured_host_only() {
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
    fn a_digest_is_known_in_hex_and_in_base64() {
        let hex = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        let base64 = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
        for digest in [hex, &hex.to_uppercase(), base64] {
            assert!(is_digest_of(digest, b"hello"), "{digest}");
            assert!(!is_digest_of(digest, b"hello!"), "{digest}");
        }
    }

    #[test]
    fn a_filename_stays_inside_its_header() {
        let upload = Upload {
            mime_type: String::from("text/plain\r\nX: y"),
            filename: String::from("a\"\r\nX: y"),
            bytes: Bytes::from_static(b"x"),
        };
        let head = String::from_utf8(parts(&upload, "b")[0].to_vec()).unwrap();
        assert!(head.contains("filename=\"a___X: y\"\r\nContent-Type: text/plainX: y\r\n\r\n"), "{head}");
    }
}
