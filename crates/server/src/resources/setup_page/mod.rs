//! `/setup/{token}`: the page of a setup link, on which a customer connects a number.
//!
//! The link is the permission: the page needs no session, and the link connects one number. The page
//! works without JavaScript and loads nothing from other servers.

mod connect;
mod credentials;
mod html;
mod opened;
mod outcome;
mod render;
mod sign_up;
mod style;
mod texts;
mod visit;

pub(crate) use credentials::handle as connect;
pub(crate) use sign_up::{begin as begin_sign_up, choose, complete as complete_sign_up, numbers};

use super::setup_links::ThemeConfig;
use crate::{ApiError, AppState};
use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use opened::open;
use render::Entered;
use visit::{Arrived, Stop};

/// Shows the form, or why there is none.
pub(crate) async fn show(
    State(ctx): State<AppState>,
    Path(token): Path<String>,
    request: Request,
) -> Result<Response, Stop> {
    let (parts, _) = request.into_parts();
    let arrived = Arrived::new(&ctx, token, parts, &ctx.http().setup_pages).await?;
    let entered = Entered { name: arrived.opened.customer.name.clone(), ..Entered::default() };
    Ok(arrived.page(&ctx).form(&entered, None))
}

/// Stylesheet with the colours of a link.
pub(crate) async fn style(State(ctx): State<AppState>, Path(token): Path<String>) -> Result<Response, ApiError> {
    let opened = open(&ctx, &token).await?;
    let theme = opened.and_then(|opened| ThemeConfig::of(opened.link.theme_config.as_deref()));
    Ok(style::of(&theme.unwrap_or_default()))
}

/// Stylesheet of the page without a link.
pub(crate) async fn plain_style() -> Response {
    style::of(&ThemeConfig::default())
}
