//! One operation of the document: how it is called, what it takes, and whether an answer is what the document says.

use super::wrong_values;
use crate::contract;
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};
use testkit::{Answer, TestApp};

/// Where in a request something stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
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

/// All that take a project's key. The few of the command line, which take a user's token, have tests of their own.
pub fn operations() -> Vec<Operation> {
    let mut all = all_operations();
    all.retain(|operation| operation.path.starts_with("/api/v1/"));
    all
}

/// Those of the command line too.
pub fn all_operations() -> Vec<Operation> {
    static DOCUMENT: OnceLock<Arc<Value>> = OnceLock::new();
    let document = DOCUMENT.get_or_init(|| Arc::new(server::openapi()));
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
    /// When it is called where each is called once: what others need is deleted last, and ended before that.
    pub fn turn(&self) -> (bool, bool, bool) {
        (self.method == "DELETE", self.name == "update_agent_execution", self.method != "GET")
    }

    pub async fn call(&self, app: &TestApp, path: &str, body: Option<Value>) -> Answer {
        self.call_as(app, Some(&app.key), path, body).await
    }

    pub async fn call_as(&self, app: &TestApp, key: Option<&str>, path: &str, body: Option<Value>) -> Answer {
        self.checked(app.call_as(key, self.method.parse().unwrap(), path, body).await)
    }

    /// With an `Idempotency-Key` of its own.
    pub async fn call_with_key(&self, app: &TestApp, path: &str, body: Option<Value>) -> Answer {
        let headers = [("idempotency-key", self.name.as_str()), ("content-type", "application/json")];
        self.checked(
            app.call_raw(&headers, self.method.parse().unwrap(), path, body.map(|body| body.to_string())).await,
        )
    }

    /// With a body that need not be JSON.
    pub async fn call_raw(&self, app: &TestApp, path: &str, header: (&str, &str), body: &str) -> Answer {
        self.checked(app.call_raw(&[header], self.method.parse().unwrap(), path, Some(body.to_owned())).await)
    }

    /// The answer, which must be one that the document tells of.
    fn checked(&self, answer: Answer) -> Answer {
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

    /// What is wrong with a value by a schema of the document.
    pub fn problems(&self, schema: &Value, value: &Value) -> Vec<String> {
        let validator = self.validator(schema);
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
    }

    /// The schema of the request's body and the example of it, if it has a body.
    pub fn request_example(&self) -> Option<(&Value, &Value)> {
        let content = self.value["requestBody"]["content"].get("application/json")?;
        Some((&content["schema"], &content["examples"]["call"]["value"]))
    }

    /// The schema of the body of each successful answer and the example of it; an answer without a body has none to show.
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

    fn body_schema(&self) -> Option<&Value> {
        self.value["requestBody"]["content"].get("application/json").map(|content| self.followed(&content["schema"]))
    }

    pub fn takes_a_body(&self) -> bool {
        self.body_schema().is_some()
    }

    /// The only required key of the body, if it holds an object.
    pub fn wrapper(&self) -> Option<String> {
        let schema = self.body_schema()?;
        let [key] = schema["required"].as_array()?.as_slice() else { return None };
        let inner = self.followed(&schema["properties"][key.as_str()?]);
        (inner["type"] == "object").then(|| key.as_str().unwrap_or_default().to_owned())
    }

    pub fn path_parameters(&self) -> Vec<String> {
        let parts = self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        parts.map(str::to_owned).collect()
    }

    /// Those that name a thing which must be there.
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

    /// Parameters with texts that their schemas refuse.
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

    /// Where ids of other things stand in the body and in the query: the places, each with the name of the field.
    pub fn ids_taken(&self) -> Vec<(Place, String)> {
        let is_id = |schema: &Value| schema["format"] == "uuid";
        let in_query = self.queries().filter(|parameter| is_id(&parameter["schema"]));
        let mut ids: Vec<_> = in_query.map(|one| (Place::Query, one["name"].as_str().unwrap().to_owned())).collect();
        let Some(body) = self.body_schema() else { return ids };
        let inner = match self.wrapper() {
            Some(wrapper) => self.followed(&body["properties"][wrapper]),
            None => body,
        };
        let fields = inner["properties"].as_object().into_iter().flatten();
        ids.extend(fields.filter(|(_, schema)| is_id(schema)).map(|(name, _)| (Place::Body, name.clone())));
        ids
    }

    /// The body with a field set.
    pub fn body_with(&self, body: Option<Value>, field: &str, value: &str) -> Option<Value> {
        let mut body = body?;
        match self.wrapper() {
            Some(wrapper) => body[&wrapper][field] = json!(value),
            None => body[field] = json!(value),
        }
        Some(body)
    }

    /// The sample with one value wrong, missing or too long, and the place of it: for each field of the body.
    pub fn wrong_bodies(&self, sample: &Value) -> Vec<(String, Value)> {
        let Some(body) = self.body_schema() else { return Vec::new() };
        let at = self.wrapper().map(|wrapper| format!("/{wrapper}")).unwrap_or_default();
        let schema = self.followed(at.strip_prefix('/').map_or(body, |wrapper| &body["properties"][wrapper]));
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
            // A body that has lost its only field has lost its wrapper too.
            let others = sample.pointer(&at).and_then(Value::as_object).is_some_and(|fields| fields.len() > 1);
            let required = schema["required"].as_array().is_some_and(|names| names.iter().any(|one| one == name));
            if required && others {
                with(name, None);
            }
        }
        wrong
    }
}
