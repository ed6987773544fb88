//! The template that carries texts outside of the service window, as a field of requests.

use domain::message::WindowTemplate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An approved template whose body has one variable, which the text becomes.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = WindowTemplate)]
pub(crate) struct WindowTemplateField {
    /// Its name at WhatsApp.
    #[schema(min_length = 1, max_length = 512)]
    name: String,
    /// Needed if the template exists in several languages.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 20)]
    language: Option<String>,
}

impl WindowTemplateField {
    pub(crate) fn to_domain(&self) -> WindowTemplate {
        let language = self.language.clone().filter(|language| !language.is_empty());
        WindowTemplate { name: self.name.clone(), language }
    }
}
