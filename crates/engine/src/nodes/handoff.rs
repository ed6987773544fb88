//! HandoffNode: a person takes over.

use super::behaviour::Behaviour;

pub(super) fn behaviour() -> Behaviour {
    Behaviour { hands_off: true, ..Behaviour::default() }
}
