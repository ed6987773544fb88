//! Answers: all content is under `data`; lists also have `meta`.

use crate::error::Detail;
use axum::{
    Json,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// One resource.
#[derive(Serialize, ToSchema)]
pub(crate) struct Data<T> {
    pub(crate) data: T,
}

impl<T: Serialize> IntoResponse for Data<T> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

/// `201` with the created resource.
pub(crate) struct Created<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, Data { data: self.0 }).into_response()
    }
}

/// A saved resource, with what is probably wrong in it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Warned<T> {
    pub(crate) data: T,
    /// At most 50; the resource was saved all the same.
    #[schema(max_items = 50)]
    pub(crate) warnings: Vec<Detail>,
    #[serde(skip)]
    pub(crate) status: StatusCode,
}

impl<T: Serialize> IntoResponse for Warned<T> {
    fn into_response(self) -> Response {
        (self.status, Json(self)).into_response()
    }
}

impl<T: Serialize> Answer for Warned<T> {
    fn status(&self) -> StatusCode {
        self.status
    }
    fn body(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }
}

/// `202` with the started resource.
pub(crate) struct Accepted<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Accepted<T> {
    fn into_response(self) -> Response {
        (StatusCode::ACCEPTED, Data { data: self.0 }).into_response()
    }
}

/// One page of a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct Page<T> {
    pub(super) data: Vec<T>,
    pub(super) meta: PaginationMeta,
    #[serde(skip)]
    pub(super) headers: HeaderMap,
}

/// Position of a page in its list.
#[derive(Serialize, ToSchema)]
pub(crate) struct PaginationMeta {
    #[schema(minimum = 1)]
    pub(super) page: i64,
    #[schema(minimum = 1)]
    pub(super) per_page: i64,
    #[schema(minimum = 0)]
    pub(super) total_pages: i64,
    #[schema(minimum = 0)]
    pub(super) total_count: i64,
}

impl<T: Serialize> IntoResponse for Page<T> {
    fn into_response(mut self) -> Response {
        let headers = std::mem::take(&mut self.headers);
        (headers, Json(self)).into_response()
    }
}

/// Answer of a write, built inside its transaction and stored for repeats of the request.
pub(crate) trait Answer: IntoResponse {
    fn status(&self) -> StatusCode;
    /// The body; null if there is none.
    fn body(&self) -> serde_json::Result<Value>;
}

/// `204` without a body.
impl Answer for StatusCode {
    fn status(&self) -> StatusCode {
        *self
    }
    fn body(&self) -> serde_json::Result<Value> {
        Ok(Value::Null)
    }
}

impl<T: Serialize> Answer for Data<T> {
    fn status(&self) -> StatusCode {
        StatusCode::OK
    }
    fn body(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }
}

impl<T: Serialize> Answer for Created<T> {
    fn status(&self) -> StatusCode {
        StatusCode::CREATED
    }
    fn body(&self) -> serde_json::Result<Value> {
        Ok(serde_json::json!({"data": serde_json::to_value(&self.0)?}))
    }
}

impl<T: Serialize> Answer for Accepted<T> {
    fn status(&self) -> StatusCode {
        StatusCode::ACCEPTED
    }
    fn body(&self) -> serde_json::Result<Value> {
        Ok(serde_json::json!({"data": serde_json::to_value(&self.0)?}))
    }
}

/// `201` with a secret in this field of the data. The stored answer for repeats has null there:
/// secrets are not stored.
pub(crate) struct Issued<T>(pub(crate) T, pub(crate) &'static str);

impl<T: Serialize> IntoResponse for Issued<T> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, Data { data: self.0 }).into_response()
    }
}

impl<T: Serialize> Answer for Issued<T> {
    fn status(&self) -> StatusCode {
        StatusCode::CREATED
    }
    fn body(&self) -> serde_json::Result<Value> {
        let mut data = serde_json::to_value(&self.0)?;
        data[self.1] = Value::Null;
        Ok(serde_json::json!({"data": data}))
    }
}
