//! Paging: `page` and `per_page` in, `data` with `meta` and headers out, the same for every list (design.md §4).

use crate::ApiError;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, request::Parts},
    response::{IntoResponse, Response},
};
use domain::Problem;
use serde::Serialize;
use serde_json::json;
use std::collections::HashMap;

/// The query of a list.
#[derive(Debug, Clone)]
pub struct Query {
    values: HashMap<String, String>,
    path: String,
    pairs: Vec<(String, String)>,
    page: i64,
    per_page: i64,
    asked: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let text = parts.uri.query().unwrap_or_default();
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        let values: HashMap<_, _> = pairs.iter().cloned().collect();
        let mut problems = Vec::new();
        let mut number = |name: &str, default: i64, most: i64| match values.get(name) {
            None => default,
            Some(text) => match text.parse::<i64>() {
                Ok(number) if (1..=most).contains(&number) => number,
                _ => {
                    let limit =
                        if most == i64::from(i32::MAX) { "1 or more".to_owned() } else { format!("from 1 to {most}") };
                    problems.push(Problem::new(
                        format!("/{name}"),
                        "out_of_range",
                        format!("{name} must be a whole number, {limit}"),
                    ));
                    default
                }
            },
        };
        let (page, per_page) = (number("page", 1, i64::from(i32::MAX)), number("per_page", 20, 100));
        if !problems.is_empty() {
            return Err(ApiError::Invalid(problems));
        }
        let asked = values.contains_key("page") || values.contains_key("per_page");
        Ok(Self { values, path: parts.uri.path().to_owned(), pairs, page, per_page, asked })
    }
}

impl Query {
    /// Rows to read, and how many to pass over.
    pub const fn range(&self) -> (i64, i64) {
        (self.per_page, (self.page - 1) * self.per_page)
    }

    /// For lists that the contract does not page: up to 1,000 rows when no paging is asked for.
    #[must_use]
    pub const fn or_everything(mut self) -> Self {
        if !self.asked {
            self.per_page = 1_000;
        }
        self
    }

    /// A parameter's text; an empty one counts as absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// A parameter that is a time.
    pub fn time(&self, name: &str) -> Result<Option<domain::Timestamp>, ApiError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let time = domain::Timestamp::parse_iso(text);
        time.map(Some).ok_or_else(|| ApiError::invalid(&format!("/{name}"), "invalid_time", "must be an ISO 8601 time"))
    }

    /// The answer to a list.
    pub fn page<T: Serialize>(&self, data: &[T], total: i64) -> Response {
        let pages = (total + self.per_page - 1) / self.per_page;
        let meta = json!({"page": self.page, "per_page": self.per_page, "total_pages": pages, "total_count": total});
        let mut headers = HeaderMap::new();
        let numbers = [("total", total), ("total-pages", pages), ("per-page", self.per_page), ("page", self.page)];
        for (name, number) in numbers {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(number));
        }
        if let Ok(link) = HeaderValue::from_str(&self.links(pages)) {
            headers.insert(HeaderName::from_static("link"), link);
        }
        (headers, axum::Json(json!({"data": data, "meta": meta}))).into_response()
    }

    fn links(&self, pages: i64) -> String {
        let last = pages.max(1);
        let mut links = vec![("first", 1), ("last", last)];
        if self.page > 1 {
            links.push(("prev", self.page - 1));
        }
        if self.page < last {
            links.push(("next", self.page + 1));
        }
        let link = |(rel, page): (&str, i64)| {
            let others = self.pairs.iter().filter(|(name, _)| name != "page" && name != "per_page");
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query
                .extend_pairs(others)
                .append_pair("page", &page.to_string())
                .append_pair("per_page", &self.per_page.to_string());
            format!("<{}?{}>; rel=\"{rel}\"", self.path, query.finish())
        };
        links.into_iter().map(link).collect::<Vec<_>>().join(", ")
    }
}
