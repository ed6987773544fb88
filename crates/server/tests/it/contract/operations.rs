//! Operations of an OpenAPI document, which keep the document to resolve references.

use serde_json::{Value, json};
use std::{path::Path, sync::Arc};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

pub struct Operation {
    pub name: String,
    method: String,
    path: String,
    /// Parameters, request body and responses, with unresolved references.
    pub value: Value,
    pub document: Arc<Value>,
}

impl Operation {
    pub fn place(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Lower case.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Schema of a response body, if it has one.
    pub fn answer(&self, status: &str) -> Option<&Value> {
        self.response(status)["content"].get("application/json").map(|content| &content["schema"])
    }

    /// Number of literal path segments that match a real path; `None` if the path is not this
    /// operation's.
    pub fn words_of(&self, real: &str) -> Option<usize> {
        let (own, real): (Vec<&str>, Vec<&str>) = (self.path.split('/').collect(), real.split('/').collect());
        let fits = |own: &str, real: &str| own == real || (own.starts_with('{') && !real.is_empty());
        let all = own.len() == real.len() && own.iter().zip(&real).all(|(own, real)| fits(own, real));
        all.then(|| own.iter().zip(&real).filter(|(own, real)| own == real).count())
    }

    /// Parameters with references resolved.
    pub fn parameters(&self) -> Vec<Value> {
        let parameters = self.value["parameters"].as_array().into_iter().flatten();
        parameters.map(|parameter| followed(&self.document, parameter).clone()).collect()
    }

    /// Response with its reference resolved.
    pub fn response(&self, status: &str) -> &Value {
        followed(&self.document, &self.value["responses"][status])
    }
}

/// Resolves a reference; other values are returned as they are.
pub fn followed<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(link) => {
            let target = document.pointer(link.trim_start_matches('#'));
            followed(document, target.unwrap_or_else(|| panic!("{link} leads nowhere")))
        }
        None => value,
    }
}

/// Operations of our document.
pub fn ours() -> Vec<Operation> {
    operations(server::openapi())
}

/// Operations of the contract.
pub fn contract() -> Vec<Operation> {
    let files = ["openapi-agents.yaml", "openapi-whatsapp.yaml", "openapi-later.yaml"];
    files.into_iter().flat_map(|file| operations(read(file))).collect()
}

fn read(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi/contract").join(file);
    yaml_serde::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn operations(document: Value) -> Vec<Operation> {
    let document = Arc::new(document);
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in METHODS {
            let Some(operation) = item.get(method) else { continue };
            let mut value = operation.clone();
            let shared = item["parameters"].as_array().cloned().unwrap_or_default();
            let own = value["parameters"].as_array().cloned().unwrap_or_default();
            value["parameters"] = json!([shared, own].concat());
            let path = if path.starts_with("/api/") { path.clone() } else { format!("/api/v1{path}") };
            let name = value["operationId"].as_str().unwrap().to_owned();
            all.push(Operation { name, method: method.into(), path, value, document: document.clone() });
        }
    }
    all
}
