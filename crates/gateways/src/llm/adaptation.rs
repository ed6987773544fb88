//! Changes of a request's form that a server asked for by refusing another form. They are kept in
//! memory by endpoint and model: after a restart the server refuses one request again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A change of the form of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Adaptation {
    /// The other name of the output limit: `max_tokens` or `max_completion_tokens`.
    LimitName,
    NoTemperature,
    /// No reasoning effort, no thinking.
    NoEffort,
    /// The system prompt is the beginning of the first message.
    SystemInUser,
    /// An answer stands between a tool's result and the next message of the contact.
    Bridge,
    /// Without the opaque parts of earlier answers.
    NoOpaque,
    /// With empty or generic parts where an earlier answer has none.
    FilledOpaque,
    /// Streamed without `stream_options`, which ask for the usage.
    NoStreamOptions,
    /// Not streamed.
    NoStream,
    /// At most so many pictures; with 0 the model is given texts only.
    Pictures(u32),
    /// Longest answer in tokens.
    Longest(u32),
}

impl Adaptation {
    pub fn name(self) -> String {
        match self {
            Self::LimitName => "limit_name".into(),
            Self::NoTemperature => "no_temperature".into(),
            Self::NoEffort => "no_effort".into(),
            Self::SystemInUser => "system_in_user".into(),
            Self::Bridge => "bridge".into(),
            Self::NoOpaque => "no_opaque".into(),
            Self::FilledOpaque => "filled_opaque".into(),
            Self::NoStreamOptions => "no_stream_options".into(),
            Self::NoStream => "no_stream".into(),
            Self::Pictures(most) => format!("pictures:{most}"),
            Self::Longest(tokens) => format!("longest:{tokens}"),
        }
    }

    /// Reads a name, for the requests of a trace.
    pub fn named(name: &str) -> Option<Self> {
        let known = [
            Self::LimitName,
            Self::NoTemperature,
            Self::NoEffort,
            Self::SystemInUser,
            Self::Bridge,
            Self::NoOpaque,
            Self::FilledOpaque,
            Self::NoStreamOptions,
            Self::NoStream,
        ];
        let numbered = || {
            let (word, number) = name.split_once(':')?;
            let number = number.parse().ok()?;
            match word {
                "pictures" => Some(Self::Pictures(number)),
                "longest" => Some(Self::Longest(number)),
                _ => None,
            }
        };
        known.into_iter().find(|adaptation| adaptation.name() == name).or_else(numbered)
    }
}

/// Pictures that an endpoint refused, at most. Above that all are forgotten, and each is refused
/// once more.
const REFUSED_PICTURES: usize = 1_000;

/// Adaptations of one endpoint by model. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Learned(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    by_model: BTreeMap<String, BTreeSet<Adaptation>>,
    /// Model and SHA-256.
    refused_pictures: BTreeSet<(String, String)>,
}

impl Learned {
    pub(super) fn of(&self, model: &str) -> BTreeSet<Adaptation> {
        self.known().by_model.get(model).cloned().unwrap_or_default()
    }

    pub(super) fn refused_picture(&self, model: &str, sha256: &str) -> bool {
        let known = self.known();
        !known.refused_pictures.is_empty() && known.refused_pictures.contains(&(model.to_owned(), sha256.to_owned()))
    }

    /// Remembers pictures that a server cannot read. False if none of them is new.
    pub(super) fn refuse_pictures<'a>(&self, model: &str, sha256s: impl Iterator<Item = &'a str>) -> bool {
        let mut known = self.known();
        if known.refused_pictures.len() >= REFUSED_PICTURES {
            known.refused_pictures.clear();
        }
        let new = sha256s.filter(|sha256| known.refused_pictures.insert((model.to_owned(), (*sha256).to_owned())));
        new.count() > 0
    }

    /// Remembers one. False if it is known already.
    pub(super) fn add(&self, model: &str, adaptation: Adaptation) -> bool {
        let mut all = self.known();
        let known = all.by_model.entry(model.to_owned()).or_default();
        match adaptation {
            Adaptation::Pictures(most) => {
                let fewer = |other: &Adaptation| matches!(other, Adaptation::Pictures(known) if *known <= most);
                if known.iter().any(fewer) {
                    return false;
                }
                known.retain(|other| !matches!(other, Adaptation::Pictures(_)));
            }
            Adaptation::Longest(_) => known.retain(|other| !matches!(other, Adaptation::Longest(_))),
            // One excludes the other.
            Adaptation::NoOpaque => known.retain(|other| *other != Adaptation::FilledOpaque),
            _ => {}
        }
        known.insert(adaptation)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_adaptations_read_back() {
        for adaptation in [
            Adaptation::LimitName,
            Adaptation::NoTemperature,
            Adaptation::NoEffort,
            Adaptation::SystemInUser,
            Adaptation::Bridge,
            Adaptation::NoOpaque,
            Adaptation::FilledOpaque,
            Adaptation::NoStreamOptions,
            Adaptation::NoStream,
            Adaptation::Pictures(0),
            Adaptation::Longest(16_384),
        ] {
            assert_eq!(Adaptation::named(&adaptation.name()), Some(adaptation));
        }
        assert_eq!(Adaptation::named("other"), None);
    }

    #[test]
    fn adaptation_is_learned_once_per_model() {
        let learned = Learned::default();
        assert!(learned.add("m", Adaptation::LimitName));
        assert!(!learned.clone().add("m", Adaptation::LimitName));
        assert!(learned.of("n").is_empty());
    }

    #[test]
    fn number_of_pictures_only_falls() {
        let learned = Learned::default();
        let pictures = |most| learned.add("m", Adaptation::Pictures(most));
        assert_eq!([pictures(2), pictures(3), pictures(2), pictures(0)], [true, false, false, true]);
        assert_eq!(learned.of("m"), BTreeSet::from([Adaptation::Pictures(0)]));
    }

    #[test]
    fn refused_picture_is_remembered_per_model() {
        let learned = Learned::default();
        assert!(learned.refuse_pictures("m", ["a", "b"].into_iter()));
        assert!(!learned.refuse_pictures("m", ["b"].into_iter()));
        assert!(learned.refused_picture("m", "a") && !learned.refused_picture("n", "a"));
        for n in 0..=REFUSED_PICTURES {
            learned.refuse_pictures("m", [n.to_string().as_str()].into_iter());
        }
        assert!(!learned.refused_picture("m", "a"), "the memory is bounded");
    }
}
