//! Room for filled text, kept while filling: a text beyond the limit never exists, whatever the
//! values have in them and however often a template names them.

/// Put in the place of the first value that is cut.
const CUT: &str = "[truncated]";

/// Bytes that a text may still take. Text of the template counts and is never cut: the limits of
/// graphs bound it. Values are cut to what is left; after that, nothing more is inserted.
#[derive(Debug, Clone)]
pub struct Room {
    left: usize,
    exceeded: bool,
}

impl Room {
    pub const fn new(bytes: usize) -> Self {
        Self { left: bytes, exceeded: false }
    }

    /// True once a value was cut, or text of the template needed more than was left.
    pub const fn is_exceeded(&self) -> bool {
        self.exceeded
    }

    /// Counts bytes.
    pub fn take(&mut self, bytes: usize) {
        self.exceeded |= bytes > self.left;
        self.left = self.left.saturating_sub(bytes);
    }

    /// Appends a value, as far as it fits. A value that does not is marked.
    pub fn push(&mut self, out: &mut String, value: &str) {
        if self.exceeded {
            return;
        }
        let fitting = self.fitting(value);
        out.push_str(fitting);
        if fitting.len() < value.len() {
            out.push_str(CUT);
        }
        self.take(value.len());
    }

    /// The beginning of a value that fits, before it is escaped.
    pub(super) fn fitting<'a>(&self, value: &'a str) -> &'a str {
        &value[..value.floor_char_boundary(self.left)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_value_beyond_the_room_is_cut_and_later_ones_are_left_out() {
        let mut room = Room::new(10);
        let mut text = String::new();
        room.take(3);
        room.push(&mut text, "abcd");
        assert!(!room.is_exceeded());
        room.push(&mut text, "ééé");
        assert!(room.is_exceeded());
        room.push(&mut text, "x");
        assert_eq!(text, "abcdé[truncated]");
    }
}
