//! Deliberate damage: rules that make the emulator misbehave the way the real thing can.

mod rule;
mod rules;

pub(crate) use rule::{Action, ErrorSpec, NewRule, Preset, Surface, cut_at};
pub(crate) use rules::{Faults, Subject};
