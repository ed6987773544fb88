//! Operations of a document, with the document that their references lead into.

use serde_json::{Value, json};
use std::{path::Path, sync::Arc};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
/// Of the third file only these count.
const LATER: [&str; 3] = ["/whatsapp_contacts", "/whatsapp_messages", "/agents/"];

pub struct Operation {
    pub name: String,
    method: String,
    path: String,
    /// Parameters, request body and responses, references in them still to be followed.
    pub value: Value,
    pub document: Arc<Value>,
}

impl Operation {
    pub fn place(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// In lower case.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The schema of an answer's body; none for a status without one.
    pub fn answer(&self, status: &str) -> Option<&Value> {
        self.response(status)["content"].get("application/json").map(|content| &content["schema"])
    }

    /// How many words of this operation's path stand in a real one; `None` if it is not a path of this operation.
    pub fn words_of(&self, real: &str) -> Option<usize> {
        let (own, real): (Vec<&str>, Vec<&str>) = (self.path.split('/').collect(), real.split('/').collect());
        let fits = |own: &str, real: &str| own == real || (own.starts_with('{') && !real.is_empty());
        let all = own.len() == real.len() && own.iter().zip(&real).all(|(own, real)| fits(own, real));
        all.then(|| own.iter().zip(&real).filter(|(own, real)| own == real).count())
    }

    /// Parameters with their references followed.
    pub fn parameters(&self) -> Vec<Value> {
        let parameters = self.value["parameters"].as_array().into_iter().flatten();
        parameters.map(|parameter| followed(&self.document, parameter).clone()).collect()
    }

    /// A response with its reference followed.
    pub fn response(&self, status: &str) -> &Value {
        followed(&self.document, &self.value["responses"][status])
    }
}

/// What a reference leads to; the value itself if it is none.
pub fn followed<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(link) => {
            let target = document.pointer(link.trim_start_matches('#'));
            followed(document, target.unwrap_or_else(|| panic!("{link} leads nowhere")))
        }
        None => value,
    }
}

/// Ours.
pub fn ours() -> Vec<Operation> {
    operations(server::openapi(), |_| true)
}

/// The contract's.
pub fn contract() -> Vec<Operation> {
    let mut all = operations(read("openapi-agents.yaml"), |_| true);
    all.extend(operations(read("openapi-whatsapp.yaml"), |_| true));
    all.extend(operations(read("openapi-later.yaml"), |path| LATER.iter().any(|start| path.starts_with(start))));
    all
}

fn read(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi/contract").join(file);
    yaml_serde::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn operations(document: Value, counts: impl Fn(&str) -> bool) -> Vec<Operation> {
    let document = Arc::new(document);
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap().iter().filter(|(path, _)| counts(path)) {
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
