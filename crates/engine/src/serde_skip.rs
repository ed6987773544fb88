//! Conditions under which a field is left out of the stored form.

/// True if the value is what a missing field reads as.
pub fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
