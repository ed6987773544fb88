//! The shared Cloud API fixtures.

use base64::Engine as _;
use serde_json::Value;
use std::{fs, path::PathBuf};

fn path(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/cloud-api").join(file)
}

pub fn load(file: &str) -> Value {
    serde_json::from_slice(&fs::read(path(file)).unwrap()).unwrap()
}

/// Rows of the index with a kind: webhook, raw, exchange, vectors.
pub fn of_kind(kind: &str) -> Vec<Value> {
    let index = load("index.json");
    let rows = index["fixtures"].as_array().unwrap();
    rows.iter().filter(|row| row["kind"] == kind).cloned().collect()
}

/// Decodes `body_base64`.
pub fn bytes(value: &Value) -> Vec<u8> {
    let text = value["body_base64"].as_str().unwrap();
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}
