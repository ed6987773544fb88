//! Stylesheets of setup pages: the colours of the link, and what all pages share.

use crate::resources::setup_links::ThemeConfig;
use axum::{
    http::header,
    response::{IntoResponse as _, Response},
};
use domain::setup_link::is_colour;

const SHARED: &str = include_str!("../../../assets/setup/page.css");

/// The stylesheet of a theme. A stored value that is no colour counts as absent.
pub(super) fn of(theme: &ThemeConfig) -> Response {
    let colours = [
        ("primary", &theme.primary_color, "#0f7a5a"),
        ("primary-foreground", &theme.primary_foreground_color, "#ffffff"),
        ("background", &theme.background_color, "#f4f5f4"),
        ("text", &theme.text_color, "#1b201e"),
        ("muted-text", &theme.muted_text_color, "#56605c"),
        ("card", &theme.card_color, "#ffffff"),
        ("muted", &theme.muted_color, "#eef1ef"),
        ("border", &theme.border_color, "#c3cbc7"),
        ("secondary", &theme.secondary_color, "#e3e8e5"),
        ("secondary-foreground", &theme.secondary_foreground_color, "#1b201e"),
        ("destructive", &theme.destructive_color, "#a92222"),
        ("destructive-foreground", &theme.destructive_foreground_color, "#ffffff"),
    ];
    let mut css = String::from(":root {\n");
    for (name, chosen, default) in colours {
        let colour = chosen.as_deref().filter(|colour| is_colour(colour)).unwrap_or(default);
        css.push_str(&format!("  --{name}: {colour};\n"));
    }
    css.push_str("}\n");
    css.push_str(SHARED);
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], css).into_response()
}
