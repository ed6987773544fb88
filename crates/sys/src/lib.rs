//! What the operating system offers and the standard library does not: the only crate with unsafe code, one call a function.

use std::fs::File;

/// Has the kernel begin to write to the disk what differs from it in this part of a file (bytes; a length of 0 means up to the
/// end), without waiting until it is there. The pages stay in memory.
///
/// A hint: it fails in silence, and on other systems than Linux it does nothing. What must be on the disk still has to be flushed.
/// See `sync_file_range(2)`.
pub fn begin_writing(file: &File, offset: u64, length: u64) {
    #[cfg(target_os = "linux")]
    if let (Ok(offset), Ok(length)) = (offset.try_into(), length.try_into()) {
        #[expect(unsafe_code, reason = "we found no crate with a safe form of this call")]
        // SAFETY: the call takes numbers only, and the borrow keeps the descriptor open until it returns.
        unsafe {
            libc::sync_file_range(std::os::fd::AsRawFd::as_raw_fd(file), offset, length, libc::SYNC_FILE_RANGE_WRITE);
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (file, offset, length);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, io::Write as _};

    #[test]
    fn a_file_is_what_it_was_whatever_is_asked_for() {
        let path = std::env::temp_dir().join(format!("chasqui-sys-{}", std::process::id()));
        let mut file = File::create(&path).unwrap();
        file.write_all(&[7; 10_000]).unwrap();
        for (offset, length) in [(0, 4_096), (4_096, 0), (9_999, 1 << 40), (u64::MAX, 1), (1, u64::MAX)] {
            begin_writing(&file, offset, length);
        }
        assert_eq!(fs::read(&path).unwrap(), [7; 10_000]);
        fs::remove_file(path).unwrap();
    }
}
