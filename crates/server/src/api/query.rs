//! Reads query parameters by the schemas of the document, and the paging of lists.

use super::{
    answer::{Page, PaginationMeta},
    document,
    schema::{self, Schema},
};
use crate::ApiError;
use axum::{
    extract::{FromRequestParts, OriginalUri},
    http::{HeaderMap, HeaderName, HeaderValue, request::Parts},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use utoipa::{
    IntoParams,
    openapi::path::{Parameter, ParameterIn},
};

/// Query parameters of a route that is not a list.
pub(crate) struct Query<T>(pub(crate) T);

/// Maximum page size.
const LONGEST_PAGE: i64 = 100;

/// Query of a list: `page`, `per_page` and the filters `F`.
pub(crate) struct List<F = NoFilter> {
    pub(crate) filter: F,
    page: i64,
    per_page: i64,
    asked: bool,
    /// Path and query as sent.
    path: String,
    pairs: Vec<(String, String)>,
}

/// For lists without filters.
#[derive(Deserialize, IntoParams)]
pub(crate) struct NoFilter {}

/// Lists are sorted newest first, then by id. A page beyond the last one is empty.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Paging {
    /// Page number.
    #[param(minimum = 1, maximum = 2_147_483_647, default = 1)]
    page: Option<i64>,
    /// Page size.
    #[param(minimum = 1, maximum = 100, default = 20)]
    per_page: Option<i64>,
}

impl<F: IntoParams> IntoParams for List<F> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut params = Paging::into_params(in_query);
        params.extend(F::into_params(in_query));
        params
    }
}

fn in_query() -> Option<ParameterIn> {
    Some(ParameterIn::Query)
}

impl<T: DeserializeOwned + IntoParams + 'static, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        read::<T, T>(&pairs(parts)).map(Self)
    }
}

impl<F: DeserializeOwned + IntoParams + 'static, S: Send + Sync> FromRequestParts<S> for List<F> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let pairs = pairs(parts);
        let Both { paging, filter }: Both<F> = read::<Self, _>(&pairs)?;
        let asked = paging.page.is_some() || paging.per_page.is_some();
        let (page, per_page) = (paging.page.unwrap_or(1), paging.per_page.unwrap_or(20));
        // The router strips the prefix of nested routes from the request's own URI.
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        Ok(Self { filter, page, per_page, asked, path: uri.path().to_owned(), pairs })
    }
}

#[derive(Deserialize)]
struct Both<F> {
    #[serde(flatten)]
    paging: Paging,
    #[serde(flatten)]
    filter: F,
}

fn pairs(parts: &Parts) -> Vec<(String, String)> {
    url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect()
}

/// Reads the parameters declared by `P` into a `T`. Unknown parameters are ignored; an empty one
/// counts as absent.
fn read<P: IntoParams + 'static, T: DeserializeOwned>(pairs: &[(String, String)]) -> Result<T, ApiError> {
    let declared = P::into_params(in_query);
    let mut values = Map::new();
    for parameter in &declared {
        let kind = document::not_null(json!(parameter.schema))["type"].take();
        let mut sent = pairs.iter().filter(|(name, text)| *name == parameter.name && !text.is_empty());
        if kind == "array" {
            let split = |text: &String| match parameter.explode {
                Some(false) => text.split(',').map(|item| json!(item.trim())).collect(),
                _ => vec![json!(text)],
            };
            let items: Vec<Value> = sent.flat_map(|(_, text)| split(text)).collect();
            if !items.is_empty() {
                values.insert(parameter.name.clone(), Value::Array(items));
            }
        } else if let Some((_, text)) = sent.next_back() {
            values.insert(parameter.name.clone(), typed(text, &kind));
        }
    }
    // Stored text never contains NUL, and PostgreSQL refuses it.
    let is_declared = |name: &str| declared.iter().any(|parameter| parameter.name == name);
    if let Some((name, _)) = pairs.iter().find(|(name, text)| text.contains('\0') && is_declared(name)) {
        return Err(ApiError::invalid(&format!("/{name}"), "nul", "must not contain U+0000"));
    }
    let value = Value::Object(values);
    let mut problems = compiled::<P>(&declared)?.problems(&value);
    // A problem of a list item is reported at the parameter.
    for problem in &mut problems {
        if let Some((end, _)) = problem.path.match_indices('/').nth(1) {
            problem.path.truncate(end);
        }
    }
    if !problems.is_empty() {
        return Err(ApiError::Invalid(problems));
    }
    serde_json::from_value(value).map_err(|error| ApiError::Internal(format!("a valid query was not read: {error}")))
}

fn compiled<P: 'static>(declared: &[Parameter]) -> Result<Arc<Schema>, ApiError> {
    schema::cached::<P>(|| {
        let properties: Map<_, _> = declared
            .iter()
            .map(|parameter| (parameter.name.clone(), document::not_null(json!(parameter.schema))))
            .collect();
        json!({"type": "object", "properties": properties})
    })
}

/// Converts the text to the parameter's type; other text stays text, which the schema then refuses.
fn typed(text: &str, kind: &Value) -> Value {
    let number = || text.parse::<i64>().ok().map(Value::from);
    let boolean = || text.parse::<bool>().ok().map(Value::from);
    let read = match kind.as_str() {
        Some("integer") => number(),
        Some("boolean") => boolean(),
        _ => None,
    };
    read.unwrap_or_else(|| text.into())
}

impl<F> List<F> {
    /// Limit and offset.
    pub(crate) const fn range(&self) -> (i64, i64) {
        (self.per_page, (self.page - 1) * self.per_page)
    }

    /// For lists without paging in the contract: up to 1,000 rows unless paging is requested.
    #[must_use]
    pub(crate) const fn unpaged_by_default(mut self) -> Self {
        if !self.asked {
            self.per_page = 1_000;
        }
        self
    }

    /// Builds the answer for this page.
    pub(crate) fn page<T: Serialize>(&self, data: Vec<T>, total: i64) -> Page<T> {
        let pages = (total + self.per_page - 1) / self.per_page;
        let mut headers = HeaderMap::new();
        let numbers = [("total", total), ("total-pages", pages), ("per-page", self.per_page), ("page", self.page)];
        for (name, number) in numbers {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(number));
        }
        if let Ok(link) = HeaderValue::from_str(&self.links(total)) {
            headers.insert(HeaderName::from_static("link"), link);
        }
        let (page, per_page) = (self.page, self.per_page);
        Page { data, meta: PaginationMeta { page, per_page, total_pages: pages, total_count: total }, headers }
    }

    /// For an unpaged list the links lead to pages of the default size.
    fn links(&self, total: i64) -> String {
        let per_page = self.per_page.min(LONGEST_PAGE);
        let last = ((total + per_page - 1) / per_page).max(1);
        let shown = self.per_page / per_page;
        let (before, after) = ((self.page - 1) * shown, self.page * shown + 1);
        let mut links = vec![("first", 1), ("last", last)];
        if before > 0 {
            links.push(("prev", before));
        }
        if after <= last {
            links.push(("next", after));
        }
        let link = |(rel, page): (&str, i64)| {
            let others = self.pairs.iter().filter(|(name, _)| name != "page" && name != "per_page");
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query
                .extend_pairs(others)
                .append_pair("page", &page.to_string())
                .append_pair("per_page", &per_page.to_string());
            format!("<{}?{}>; rel=\"{rel}\"", self.path, query.finish())
        };
        links.into_iter().map(link).collect::<Vec<_>>().join(", ")
    }
}
