//! One operation of the OpenAPI document: calls it and checks each answer against the document.

use super::wrong_values;
use crate::contract;
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};
use testkit::{Answer, TestApp};

/// Position of a value in a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ParameterLocation {
    Query,
    Body,
}

pub struct Operation {
    pub name: String,
    pub method: String,
    pub path: String,
    value: Value,
    document: Arc<Value>,
}

/// Operations that take a project's key. Those of the command line take a user's token and have
/// their own tests.
pub fn operations() -> Vec<Operation> {
    let mut all = all_operations();
    all.retain(|operation| operation.path.starts_with("/api/v1/"));
    all
}

/// All operations, including those of the command line.
pub fn all_operations() -> Vec<Operation> {
    static DOCUMENT: OnceLock<Arc<Value>> = OnceLock::new();
    of(DOCUMENT.get_or_init(|| Arc::new(server::openapi())))
}

/// Session routes of the dashboard.
pub fn app_operations() -> Vec<Operation> {
    of(&Arc::new(server::app_openapi()))
}

fn of(document: &Arc<Value>) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, value) in item.as_object().unwrap() {
            let name = value["operationId"].as_str().unwrap().to_owned();
            let (method, path) = (method.to_uppercase(), path.clone());
            all.push(Operation { name, method, path, value: value.clone(), document: document.clone() });
        }
    }
    all
}

impl Operation {
    /// Sort key for calling each operation once: deletions last, the agent after all that uses it and the
    /// project after everything; status changes before them.
    pub fn turn(&self) -> (u8, bool, bool, bool) {
        let last = match self.name.as_str() {
            "delete_project" => 2,
            "delete_agent" => 1,
            _ => 0,
        };
        let ends_execution = matches!(self.name.as_str(), "update_agent_execution" | "restart_sandbox_session");
        (last, self.method == "DELETE", ends_execution, self.method != "GET")
    }

    pub async fn call(&self, app: &TestApp, path: &str, body: Option<Value>) -> Answer {
        self.call_as(app, Some(&app.key), path, body).await
    }

    pub async fn call_as(&self, app: &TestApp, key: Option<&str>, path: &str, body: Option<Value>) -> Answer {
        self.checked(app.call_as(key, self.method.parse().unwrap(), path, body).await)
    }

    /// Calls with a fresh `Idempotency-Key`.
    pub async fn call_with_key(&self, app: &TestApp, path: &str, body: Option<Value>) -> Answer {
        let headers = [("idempotency-key", self.name.as_str()), ("content-type", "application/json")];
        self.checked(
            app.call_raw(&headers, self.method.parse().unwrap(), path, body.map(|body| body.to_string())).await,
        )
    }

    /// Calls with any bytes as body.
    pub async fn call_raw(&self, app: &TestApp, path: &str, header: (&str, &str), body: &str) -> Answer {
        self.checked(app.call_raw(&[header], self.method.parse().unwrap(), path, Some(body.to_owned())).await)
    }

    /// Returns the answer after checking that the document describes it.
    pub fn checked(&self, answer: Answer) -> Answer {
        let (name, status) = (&self.name, answer.status.to_string());
        let response = &self.value["responses"][&status];
        assert!(response.is_object(), "{name}: {status} is not in the document: {}", answer.body);
        if let Some(code) = answer.body["code"].as_str() {
            let about = response["description"].as_str().unwrap_or_default();
            assert!(about.contains(&format!("`{code}`")), "{name} {status}: `{code}` is not in the document");
        }
        match response["content"].get("application/json") {
            Some(content) => {
                let problems = self.problems(&content["schema"], &answer.body);
                assert!(problems.is_empty(), "{name} {status}: {problems:#?} in {}", answer.body);
            }
            None => assert_eq!(answer.body, Value::Null, "{name} {status}"),
        }
        if answer.status < 300 {
            contract::keeps(&self.method, &self.path, &answer);
        }
        answer
    }

    /// Violations of a schema of the document.
    pub fn problems(&self, schema: &Value, value: &Value) -> Vec<String> {
        let validator = self.validator(schema);
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
    }

    /// Schema and example of the request body, if any.
    pub fn request_example(&self) -> Option<(&Value, &Value)> {
        let content = self.value["requestBody"]["content"].get("application/json")?;
        Some((&content["schema"], &content["examples"]["call"]["value"]))
    }

    /// Schema and example of each 2xx body.
    pub fn answer_examples(&self) -> Vec<(&Value, &Value)> {
        static EMPTY: OnceLock<(Value, Value)> = OnceLock::new();
        let (nothing, empty) = EMPTY.get_or_init(|| (json!(true), json!({})));
        let good = self.responses().filter(|(status, _)| status.starts_with('2'));
        good.map(|(_, response)| match response["content"].get("application/json") {
            Some(content) => (&content["schema"], &content["examples"]["call"]["value"]),
            None => (nothing, empty),
        })
        .collect()
    }

    pub fn responses(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.value["responses"].as_object().into_iter().flatten()
    }

    fn validator(&self, schema: &Value) -> jsonschema::Validator {
        let whole = json!({"allOf": [schema], "components": self.document["components"]});
        jsonschema::options().offline().should_validate_formats(true).build(&whole).unwrap()
    }

    fn followed<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(link) => self.followed(self.document.pointer(link.trim_start_matches('#')).unwrap()),
            None => schema,
        }
    }

    /// The schema of an object, with the fields of all its parts.
    fn merged(&self, schema: &Value) -> Value {
        let schema = self.followed(schema);
        let Some(parts) = schema["allOf"].as_array() else { return schema.clone() };
        let (mut properties, mut required) = (serde_json::Map::new(), Vec::new());
        for part in parts.iter().map(|part| self.merged(part)) {
            properties.extend(part["properties"].as_object().cloned().unwrap_or_default());
            required.extend(part["required"].as_array().cloned().unwrap_or_default());
        }
        json!({"type": "object", "properties": properties, "required": required})
    }

    fn body_schema(&self) -> Option<&Value> {
        self.value["requestBody"]["content"].get("application/json").map(|content| self.followed(&content["schema"]))
    }

    pub fn takes_a_body(&self) -> bool {
        self.body_schema().is_some()
    }

    /// Wrapper key: the only required key of the body, if its value is an object.
    pub fn wrapper(&self) -> Option<String> {
        let schema = self.body_schema()?;
        let [key] = schema["required"].as_array()?.as_slice() else { return None };
        let inner = self.merged(&schema["properties"][key.as_str()?]);
        (inner["type"] == "object").then(|| key.as_str().unwrap_or_default().to_owned())
    }

    pub fn path_parameters(&self) -> Vec<String> {
        let parts = self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        parts.map(str::to_owned).collect()
    }

    /// Path parameters that are ids of existing rows.
    pub fn path_ids(&self) -> Vec<String> {
        let is_id = |name: &String| name == "id" || name == "identifier" || name.ends_with("_id");
        self.path_parameters().into_iter().filter(is_id).collect()
    }

    fn queries(&self) -> impl Iterator<Item = &Value> {
        self.value["parameters"].as_array().into_iter().flatten().filter(|parameter| parameter["in"] == "query")
    }

    pub fn is_list(&self) -> bool {
        self.queries().any(|parameter| parameter["name"] == "per_page")
    }

    /// Query parameters with a value that their schema refuses.
    pub fn wrong_parameters(&self) -> Vec<(String, String)> {
        let mut wrong = Vec::new();
        for parameter in self.queries() {
            let (name, schema) = (parameter["name"].as_str().unwrap().to_owned(), &parameter["schema"]);
            if !self.validator(schema).is_valid(&json!("§")) {
                wrong.push((name.clone(), "§".to_owned()));
            }
            let beyond = [("minimum", -1), ("maximum", 1)];
            for (bound, step) in beyond {
                wrong.extend(schema[bound].as_i64().map(|bound| (name.clone(), (bound + step).to_string())));
            }
        }
        wrong
    }

    /// Positions of foreign ids in body and query, with the field's name.
    pub fn ids_taken(&self) -> Vec<(ParameterLocation, String)> {
        let is_id = |schema: &Value| schema["format"] == "uuid";
        let in_query = self.queries().filter(|parameter| is_id(&parameter["schema"]));
        let mut ids: Vec<_> =
            in_query.map(|one| (ParameterLocation::Query, one["name"].as_str().unwrap().to_owned())).collect();
        let Some(body) = self.body_schema() else { return ids };
        let inner = match self.wrapper() {
            Some(wrapper) => self.followed(&body["properties"][wrapper]),
            None => body,
        };
        let fields = inner["properties"].as_object().into_iter().flatten();
        ids.extend(fields.filter(|(_, schema)| is_id(schema)).map(|(name, _)| (ParameterLocation::Body, name.clone())));
        ids
    }

    pub fn body_with(&self, body: Option<Value>, field: &str, value: &str) -> Option<Value> {
        let mut body = body?;
        match self.wrapper() {
            Some(wrapper) => body[&wrapper][field] = json!(value),
            None => body[field] = json!(value),
        }
        Some(body)
    }

    /// One body for each field with its value wrong, missing or too long, and the JSON pointer of
    /// it.
    pub fn wrong_bodies(&self, sample: &Value) -> Vec<(String, Value)> {
        let Some(body) = self.body_schema() else { return Vec::new() };
        let at = self.wrapper().map(|wrapper| format!("/{wrapper}")).unwrap_or_default();
        let schema = self.merged(at.strip_prefix('/').map_or(body, |wrapper| &body["properties"][wrapper]));
        let mut wrong = Vec::new();
        let mut with = |name: &str, value: Option<Value>| {
            let mut body = sample.clone();
            let fields = body.pointer_mut(&at).and_then(Value::as_object_mut).unwrap();
            fields.remove(name);
            fields.extend(value.map(|value| (name.to_owned(), value)));
            wrong.push((format!("{at}/{name}"), body));
        };
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let validator = self.validator(property);
            if let Some(value) = wrong_values().into_iter().find(|value| !validator.is_valid(value)) {
                with(name, Some(value));
            }
            if !validator.is_valid(&Value::Null) {
                with(name, Some(Value::Null));
            }
            if let Some(longest) = self.followed(property)["maxLength"].as_u64() {
                with(name, Some(json!("9".repeat(usize::try_from(longest).unwrap() + 1))));
            }
            // A body without its only field has no wrapper either.
            let others = sample.pointer(&at).and_then(Value::as_object).is_some_and(|fields| fields.len() > 1);
            let required = schema["required"].as_array().is_some_and(|names| names.iter().any(|one| one == name));
            if required && others {
                with(name, None);
            }
        }
        wrong
    }
}
