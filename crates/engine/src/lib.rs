//! Decides what happens next in an agent graph. No I/O, no clock, nothing async.
