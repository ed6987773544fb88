//! Media that WhatsApp accepts (docs/spec/whatsapp-cloud-api.md 2.3): types, sizes and first bytes.
//! The type that a caller gives is a hint. The bytes decide about images, videos and audio.

use crate::message::MediaKind;

const MIB: usize = 1 << 20;

/// Types of documents that WhatsApp accepts; any other is sent as bytes without a type.
const DOCUMENTS: [&str; 8] = [
    "text/plain",
    "application/pdf",
    "application/msword",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.ms-excel",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
];

/// Largest media in bytes.
pub const LARGEST: usize = 100 * MIB;

/// Largest media of this kind in bytes.
pub const fn largest(kind: MediaKind) -> usize {
    match kind {
        MediaKind::Image => 5 * MIB,
        MediaKind::Video | MediaKind::Audio => 16 * MIB,
        MediaKind::Document => LARGEST,
    }
}

/// The types of a kind, for messages.
pub const fn types(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "JPEG or PNG",
        MediaKind::Video => "MP4 or 3GPP",
        MediaKind::Audio => "AAC, AMR, MP3, MP4 or Ogg",
        MediaKind::Document => "any file",
    }
}

/// The type to send, from the first bytes and the declared type; `None` if WhatsApp does not accept
/// it as this kind.
pub fn mime_type(kind: MediaKind, first: &[u8], said: Option<&str>) -> Option<&'static str> {
    let container = (first.get(4..8) == Some(b"ftyp")).then(|| first.get(8..11).unwrap_or_default());
    match kind {
        MediaKind::Image if first.starts_with(b"\xff\xd8\xff") => Some("image/jpeg"),
        MediaKind::Image if first.starts_with(b"\x89PNG\r\n\x1a\n") => Some("image/png"),
        MediaKind::Image => None,
        MediaKind::Video => container.map(|brand| if brand == b"3gp" { "video/3gpp" } else { "video/mp4" }),
        MediaKind::Audio if container.is_some() => Some("audio/mp4"),
        MediaKind::Audio => sound(first),
        MediaKind::Document => {
            let said = said.unwrap_or_default().split(';').next().unwrap_or_default().trim();
            let known = DOCUMENTS.into_iter().find(|known| known.eq_ignore_ascii_case(said));
            let pdf = first.starts_with(b"%PDF-").then_some("application/pdf");
            Some(pdf.or(known).unwrap_or("application/octet-stream"))
        }
    }
}

/// The type to serve received media as, and whether a browser may show it: images, videos and audio
/// with matching bytes. Anything else is a download, so that no content of a stranger runs in our
/// pages.
pub fn given_out(kind: &str, first: &[u8], said: Option<&str>) -> (&'static str, bool) {
    let kind = if kind == "sticker" { Some(MediaKind::Image) } else { MediaKind::parse(kind) };
    let is_webp = first.starts_with(b"RIFF") && first.get(8..12) == Some(b"WEBP");
    match kind {
        Some(MediaKind::Image) if is_webp => ("image/webp", true),
        Some(MediaKind::Document) | None => {
            (mime_type(MediaKind::Document, first, said).unwrap_or("application/octet-stream"), false)
        }
        Some(kind) => mime_type(kind, first, said).map_or(("application/octet-stream", false), |known| (known, true)),
    }
}

fn sound(first: &[u8]) -> Option<&'static str> {
    match first {
        [b'O', b'g', b'g', b'S', ..] => Some("audio/ogg"),
        [b'#', b'!', b'A', b'M', b'R', ..] => Some("audio/amr"),
        [b'I', b'D', b'3', ..] => Some("audio/mpeg"),
        // ADTS and MPEG frames begin alike; the layer bits, zero in ADTS, tell them apart.
        [0xff, second, ..] if second & 0xf6 == 0xf0 => Some("audio/aac"),
        [0xff, second, ..] if second & 0xe0 == 0xe0 => Some("audio/mpeg"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_type_follows_the_bytes() {
        for (kind, first, said, expected) in [
            (MediaKind::Image, &b"\xff\xd8\xff\xe0"[..], Some("image/png"), Some("image/jpeg")),
            (MediaKind::Image, b"\x89PNG\r\n\x1a\n...", None, Some("image/png")),
            (MediaKind::Image, b"GIF89a", Some("image/jpeg"), None),
            (MediaKind::Image, b"<svg xmlns=", Some("image/svg+xml"), None),
            (MediaKind::Video, b"\0\0\0\x18ftypmp42", None, Some("video/mp4")),
            (MediaKind::Video, b"\0\0\0\x18ftyp3gp5", None, Some("video/3gpp")),
            (MediaKind::Video, b"RIFF....AVI ", Some("video/mp4"), None),
            (MediaKind::Audio, b"OggS\0", None, Some("audio/ogg")),
            (MediaKind::Audio, b"ID3\x04", None, Some("audio/mpeg")),
            (MediaKind::Audio, b"\xff\xfb\x90", None, Some("audio/mpeg")),
            (MediaKind::Audio, b"\xff\xf1\x50", None, Some("audio/aac")),
            (MediaKind::Audio, b"#!AMR\n", None, Some("audio/amr")),
            (MediaKind::Audio, b"\0\0\0\x18ftypM4A ", None, Some("audio/mp4")),
            (MediaKind::Audio, b"RIFF....WAVE", Some("audio/mpeg"), None),
            (MediaKind::Document, b"%PDF-1.7", Some("text/html"), Some("application/pdf")),
            (MediaKind::Document, b"hello", Some("Text/Plain; charset=utf-8"), Some("text/plain")),
            (MediaKind::Document, b"<html>", Some("text/html"), Some("application/octet-stream")),
            (MediaKind::Document, b"", None, Some("application/octet-stream")),
        ] {
            assert_eq!(mime_type(kind, first, said), expected, "{kind:?} {first:?}");
        }
    }
    #[test]
    fn received_media_is_shown_only_if_image_video_or_audio() {
        for (kind, first, said, expected) in [
            ("image", &b"\xff\xd8\xff\xe0"[..], None, ("image/jpeg", true)),
            ("sticker", b"RIFF\x1a\0\0\0WEBPVP8 ", None, ("image/webp", true)),
            ("image", b"<svg xmlns=", Some("image/svg+xml"), ("application/octet-stream", false)),
            ("image", b"<html>", Some("image/jpeg"), ("application/octet-stream", false)),
            ("video", b"\0\0\0\x18ftyp3gp5", None, ("video/3gpp", true)),
            ("audio", b"OggS\0", Some("audio/ogg; codecs=opus"), ("audio/ogg", true)),
            ("audio", b"<script>", Some("audio/ogg"), ("application/octet-stream", false)),
            ("document", b"%PDF-1.7", Some("text/html"), ("application/pdf", false)),
            ("document", b"<html>", Some("text/html"), ("application/octet-stream", false)),
            ("document", b"\xff\xd8\xff\xe0", Some("image/jpeg"), ("application/octet-stream", false)),
            ("other", b"\xff\xd8\xff\xe0", Some("image/jpeg"), ("application/octet-stream", false)),
        ] {
            assert_eq!(given_out(kind, first, said), expected, "{kind} {first:?}");
        }
    }
}
