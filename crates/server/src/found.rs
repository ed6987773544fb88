//! Rows named by a path: loaded from the project of the key before the handler runs, or 404.

use crate::{ApiError, AppState, auth::ProjectContext};
use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use domain::ids::ProjectId;
use std::future::Future;
use store::Conn;

/// A row named by the path's ids. 404 if an id is malformed, absent, or in another project.
pub(crate) struct Found<R>(pub(crate) R);

/// A row that paths can name.
pub(crate) trait PathRow: Sized {
    /// Name in the 404 error.
    const NAME: &'static str;

    /// Loads the row by the path's parameters, in their order.
    fn load(
        conn: &mut Conn<'_>,
        project: ProjectId,
        path: &[String],
    ) -> impl Future<Output = Result<Option<Self>, ApiError>> + Send;
}

/// Declares a row that paths name by one id: `path_row!(CustomerRow, "Customer", customers::find)`.
macro_rules! path_row {
    ($row:ty, $name:expr, $find:path) => {
        impl $crate::found::PathRow for $row {
            const NAME: &'static str = $name;

            async fn load(
                conn: &mut ::store::Conn<'_>,
                project: ::domain::ids::ProjectId,
                path: &[String],
            ) -> Result<Option<Self>, $crate::ApiError> {
                let [id] = path else { return Ok(None) };
                let Ok(id) = id.parse() else { return Ok(None) };
                Ok($find(conn, project, id).await?)
            }
        }
    };
}
pub(crate) use path_row;

impl<R: PathRow> FromRequestParts<AppState> for Found<R> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let ctx = ProjectContext::from_request_parts(parts, state).await?;
        let path = Path::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let path = path.map_err(|_| ApiError::NotFound(R::NAME))?.0;
        let path: Vec<String> = path.into_iter().map(|(_, value)| value).collect();
        let mut reader = ctx.store.read().await?;
        R::load(&mut reader.conn(), ctx.project, &path).await?.found().map(Self)
    }
}

/// Turns an absent row into its 404.
pub(crate) trait OrNotFound<R> {
    fn found(self) -> Result<R, ApiError>;
}

impl<R: PathRow> OrNotFound<R> for Option<R> {
    fn found(self) -> Result<R, ApiError> {
        self.ok_or(ApiError::NotFound(R::NAME))
    }
}
