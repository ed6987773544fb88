//! Fault rules: they make the emulator fail in the ways that Meta can fail.

mod rule;
mod rules;

pub(crate) use rule::{Action, ErrorSpec, NewRule, Preset, Surface, cut_at};
pub(crate) use rules::{Faults, Subject};
