//! Code in a text: what a model quotes there is not a mark of its own format.

use std::ops::Range;

/// Byte ranges of closed fenced blocks and of closed code spans of one line, in order.
pub(super) fn ranges(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut place = 0;
    for fence in fences(text) {
        lines_of(text, place..fence.start, |line| spans(text, line, &mut ranges));
        place = fence.end;
        ranges.push(fence);
    }
    lines_of(text, place..text.len(), |line| spans(text, line, &mut ranges));
    ranges
}

fn lines_of(text: &str, range: Range<usize>, mut each: impl FnMut(Range<usize>)) {
    let mut at = range.start;
    while at < range.end {
        let end = line_end(text, at);
        each(at..end);
        at = end;
    }
}

/// Byte ranges of closed fenced blocks, in order.
pub(crate) fn fences(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut at = 0;
    // A fence that is not closed: later ones of its kind that are as long are not closed either.
    let mut unclosed: Vec<(char, usize)> = Vec::new();
    while at < text.len() {
        let end = line_end(text, at);
        let fence = fence_of(&text[at..end])
            .filter(|(mark, length)| !unclosed.iter().any(|(other, shortest)| other == mark && length >= shortest));
        let close = fence.and_then(|fence| closing(text, end, fence));
        if let (Some(fence), None) = (fence, close) {
            unclosed.push(fence);
        }
        match close {
            Some(after) => {
                ranges.push(at..after);
                at = after;
            }
            None => at = end,
        }
    }
    ranges
}

/// True for a position in one of the ranges.
pub(super) fn holds(ranges: &[Range<usize>], at: usize) -> bool {
    let next = ranges.partition_point(|range| range.end <= at);
    ranges.get(next).is_some_and(|range| range.contains(&at))
}

/// The inside of a text that is one fenced block.
pub(crate) fn inside_of_fence(text: &str) -> Option<&str> {
    let text = text.trim();
    let first = line_end(text, 0);
    let after = closing(text, first, fence_of(&text[..first])?)?;
    let inside = &text[first..after];
    (after == text.len()).then(|| {
        inside[..inside.trim_end().rfind('\n').map_or(0, |at| at + 1)].trim_end().trim_start_matches(['\n', '\r'])
    })
}

fn line_end(text: &str, from: usize) -> usize {
    text[from..].find('\n').map_or(text.len(), |at| from + at + 1)
}

/// Character and length of an opening fence.
fn fence_of(line: &str) -> Option<(char, usize)> {
    let line = line.trim();
    let mark = line.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let length = line.chars().take_while(|c| *c == mark).count();
    // An info string holds no backtick: otherwise the line is a code span.
    (length >= 3 && !line[length..].contains(mark)).then_some((mark, length))
}

/// The end of the line that closes a fence.
fn closing(text: &str, from: usize, (mark, length): (char, usize)) -> Option<usize> {
    let mut at = from;
    while at < text.len() {
        let end = line_end(text, at);
        let line = text[at..end].trim();
        if line.chars().count() >= length && line.chars().all(|c| c == mark) {
            return Some(end);
        }
        at = end;
    }
    None
}

fn spans(text: &str, line: Range<usize>, ranges: &mut Vec<Range<usize>>) {
    let mut at = line.start;
    while let Some(found) = text[at..line.end].find('`') {
        let open = at + found;
        let ticks = run(&text[open..line.end]);
        let mut next = open + ticks;
        let close = loop {
            match text[next..line.end].find('`') {
                None => break None,
                Some(found) => {
                    let length = run(&text[next + found..line.end]);
                    next += found + length;
                    if length == ticks {
                        break Some(next);
                    }
                }
            }
        };
        at = close.unwrap_or(open + ticks);
        ranges.extend(close.map(|end| open..end));
    }
}

fn run(text: &str) -> usize {
    text.bytes().take_while(|byte| *byte == b'`').count()
}
