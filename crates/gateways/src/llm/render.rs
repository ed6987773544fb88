//! Renders a request as the body that its provider receives.

use super::{
    Tuning, anthropic, dialect::Dialect, failure::permanent, form::Form, gemini, known_models::PROVIDERS, openai,
};
use domain::chat::{ModelFailure, ModelRequest, Rendering};

/// Equal arguments give equal bytes. `tuning` holds the server's defaults.
pub(super) fn body(
    dialect: Dialect,
    (provider, model): (&str, &str),
    tuning: &Tuning,
    request: &ModelRequest,
    form: &Form,
) -> Result<Vec<u8>, ModelFailure> {
    let tuning = Tuning::from(&request.llm).over(tuning);
    let bytes = match dialect {
        Dialect::Anthropic => anthropic::bytes(model, &tuning, request, form),
        Dialect::Gemini => gemini::bytes(model, &tuning, request, form),
        _ => openai::bytes(dialect, provider, model, &tuning, request, form),
    };
    bytes.map_err(|error| permanent(format!("the request is not valid JSON: {error}")))
}

/// The body of a request in the form of a rendering, and with the adaptations that the dialect needs
/// for every model.
pub fn rendered(
    dialect: Dialect,
    (provider, model): (&str, &str),
    tuning: &Tuning,
    request: &ModelRequest,
    rendering: &Rendering,
) -> Result<Vec<u8>, ModelFailure> {
    let mut form = Form::of(dialect, rendering)?;
    form.adapted.extend(dialect.adaptations(model));
    body(dialect, (provider, model), tuning, request, &form)
}

/// Environment variables that hold keys of providers.
pub fn key_variables() -> impl Iterator<Item = &'static str> {
    PROVIDERS.iter().map(|provider| provider.key_variable)
}
