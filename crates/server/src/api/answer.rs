//! Answers: everything stands under `data`, and lists have `meta` beside it.

use axum::{
    Json,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

/// One thing.
#[derive(Serialize, ToSchema)]
pub(crate) struct Data<T> {
    pub(crate) data: T,
}

impl<T: Serialize> IntoResponse for Data<T> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

/// `201` with the thing that was made.
pub(crate) struct Created<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, Data { data: self.0 }).into_response()
    }
}

/// `202` with what was begun.
pub(crate) struct Accepted<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Accepted<T> {
    fn into_response(self) -> Response {
        (StatusCode::ACCEPTED, Data { data: self.0 }).into_response()
    }
}

/// A part of a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct Page<T> {
    pub(super) data: Vec<T>,
    pub(super) meta: PaginationMeta,
    #[serde(skip)]
    pub(super) headers: HeaderMap,
}

/// Where a page stands in its list.
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
