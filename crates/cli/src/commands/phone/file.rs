//! Reads a file that the phone sends.

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::client::NewFile;

/// Types that WhatsApp shows as more than a document (docs/spec/whatsapp-cloud-api.md 2.3).
const KINDS: [(&str, &str, &str); 9] = [
    ("jpg", "image", "image/jpeg"),
    ("jpeg", "image", "image/jpeg"),
    ("png", "image", "image/png"),
    ("mp4", "video", "video/mp4"),
    ("3gp", "video", "video/3gpp"),
    ("mp3", "audio", "audio/mpeg"),
    ("ogg", "audio", "audio/ogg; codecs=opus"),
    ("pdf", "document", "application/pdf"),
    ("txt", "document", "text/plain"),
];

/// The type follows from the end of the name; unknown ones are documents.
pub fn read(path: &Path, caption: Option<&str>) -> Result<NewFile> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let end = path.extension().map(|end| end.to_string_lossy().to_lowercase()).unwrap_or_default();
    let known = KINDS.iter().find(|(known, ..)| *known == end);
    let (kind, mime_type) = known.map_or(("document", "application/octet-stream"), |(_, kind, mime)| (*kind, *mime));
    let filename = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    // Audio has no caption on WhatsApp.
    let caption = caption.filter(|text| !text.is_empty() && kind != "audio").map(str::to_owned);
    Ok(NewFile { kind, mime_type, filename, bytes, caption })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_follows_from_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let of = |name: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, b"x").unwrap();
            read(&path, Some("look")).unwrap()
        };
        assert_eq!((of("a.JPG").kind, of("a.ogg").kind, of("notes").kind), ("image", "audio", "document"));
        assert_eq!((of("a.png").caption.as_deref(), of("a.mp3").caption), (Some("look"), None));
        assert!(read(&folder.path().join("absent"), None).is_err());
    }
}
