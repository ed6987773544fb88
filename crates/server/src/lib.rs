//! Turns HTTP into calls and runs the workers.
