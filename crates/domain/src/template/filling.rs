//! Values that a send brings for the variables of a template.

use crate::Problem;
use std::collections::BTreeMap;

/// Values of one send.
pub const MOST_PARAMETERS: usize = 60;
const LONGEST_PARAMETER: usize = 1_024;

/// Values of the body's variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parameters {
    /// In the order of the numbers.
    List(Vec<String>),
    /// By name, or by number.
    Named(BTreeMap<String, String>),
}

impl Default for Parameters {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Header {
    /// Value of the only variable, or the link to the media.
    Value(String),
    /// Value of the only variable, by name.
    Named(BTreeMap<String, String>),
}

/// The location that a header shows.
#[derive(Debug, Clone, PartialEq)]
pub struct LocationHeader {
    /// −90 to 90.
    pub latitude: Option<f64>,
    /// −180 to 180.
    pub longitude: Option<f64>,
    pub name: Option<String>,
    pub address: Option<String>,
}

/// Values that a send brings.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filling {
    pub parameters: Parameters,
    /// `text`, `image`, `video` or `document`, if the caller gives it.
    pub header_type: Option<String>,
    pub header: Option<Header>,
    /// File name of a document.
    pub header_filename: Option<String>,
    /// For a header that shows a location.
    pub location: Option<LocationHeader>,
    /// Ends of links, by the button's position from 0.
    pub button_urls: BTreeMap<String, String>,
    /// Payloads returned when a button is tapped, by the button's position from 0.
    pub button_payloads: BTreeMap<String, String>,
    /// Codes to copy, by the button's position from 0.
    pub button_codes: BTreeMap<String, String>,
}

/// Reports a value that WhatsApp does not accept.
pub(super) fn plain(value: &str, at: &str, problems: &mut Vec<Problem>) {
    if let Some((_, why)) = unfit(value) {
        problems.push(Problem::new(at, "invalid_parameter", why));
    }
}

/// Code and message for an invalid value: WhatsApp accepts one line of text without wide gaps.
pub fn unfit(value: &str) -> Option<(&'static str, String)> {
    if value.trim().is_empty() {
        Some(("blank", "can't be blank".into()))
    } else if value.contains(['\n', '\r', '\t']) || value.contains("     ") {
        Some(("invalid", "may not have line breaks, tabs or more than four spaces in a row".into()))
    } else if value.chars().count() > LONGEST_PARAMETER {
        Some(("too_long", format!("may have at most {LONGEST_PARAMETER} characters")))
    } else {
        None
    }
}
