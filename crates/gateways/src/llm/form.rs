//! The form in which a request is sent. It is journaled with the answer, so that the trace shows the
//! request byte for byte.

use super::{
    adaptation::{Adaptation, Learned},
    dialect::Dialect,
    failure::permanent,
    pictures,
};
use domain::{
    chat::{ModelFailure, ModelRequest, Rendering},
    picture::PictureSource,
};
use std::collections::BTreeSet;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Form {
    pub adapted: BTreeSet<Adaptation>,
    pub streamed: bool,
    /// Pictures that the request holds, oldest first.
    pub pictures: Vec<PictureSource>,
}

impl Form {
    /// The present form of a request to a model. Answers are streamed unless the server refused it.
    pub(super) fn new(dialect: Dialect, model: &str, learned: &Learned, request: &ModelRequest) -> Self {
        let mut adapted = dialect.adaptations(model);
        adapted.extend(learned.of(model));
        let streamed = !adapted.contains(&Adaptation::NoStream);
        Self { adapted, streamed, pictures: pictures::shown(dialect, model, learned, request) }
    }

    /// The form of an earlier request.
    pub(super) fn of(dialect: Dialect, rendering: &Rendering) -> Result<Self, ModelFailure> {
        if rendering.dialect != dialect.as_str() {
            let message = format!("the request went to a provider with another protocol, {}", rendering.dialect);
            return Err(permanent(message));
        }
        let adapted = rendering.adapted.iter().filter_map(|name| Adaptation::named(name)).collect();
        Ok(Self { adapted, streamed: rendering.streamed, pictures: rendering.pictures.clone() })
    }

    /// Adds the form to the failure of a request with pictures: without it, they would be unknown.
    pub(super) fn named(&self, dialect: Dialect, failure: ModelFailure) -> ModelFailure {
        if self.pictures.is_empty() {
            return failure;
        }
        ModelFailure { rendering: Some(Box::new(self.rendering(dialect))), ..failure }
    }

    pub(super) fn rendering(&self, dialect: Dialect) -> Rendering {
        Rendering {
            dialect: dialect.as_str().to_owned(),
            adapted: self.adapted.iter().map(|adaptation| adaptation.name()).collect(),
            streamed: self.streamed,
            pictures: self.pictures.clone(),
        }
    }
}
