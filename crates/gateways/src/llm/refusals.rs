//! Reads refusals of model servers by the table (docs/spec/engine.md 5.3). The first row that fits
//! counts.

pub use super::refusal_row::{Action, Row};
use super::{
    adaptation::{Adaptation, Learned},
    dialect::Dialect,
    lengths, pictures,
    refusal::Refusal,
    refusal_pictures, refusal_table, waits,
};
use domain::{
    chat::{ModelFailure, ModelFailureKind, ModelRequest, Rendering},
    picture::PictureSource,
};

const ROWS: usize = refusal_pictures::TABLE.len() + refusal_table::TABLE.len();

/// All rows, in their order.
pub const TABLE: &[Row] = &{
    let mut all = [refusal_table::TABLE[0]; ROWS];
    let (pictures, others) = all.split_at_mut(refusal_pictures::TABLE.len());
    pictures.copy_from_slice(refusal_pictures::TABLE);
    others.copy_from_slice(refusal_table::TABLE);
    all
};

/// Class of a refusal without a row.
const UNKNOWN: &str = "unknown";

pub fn row(dialect: Dialect, status: u16, details: &str) -> Option<&'static Row> {
    let lower = details.to_lowercase();
    TABLE.iter().find(|row| {
        (row.dialects.is_empty() || row.dialects.contains(&dialect))
            && (row.statuses.is_empty() || row.statuses.contains(&status))
            && (row.words.is_empty() || row.words.iter().any(|word| lower.contains(word)))
    })
}

/// The failure that the refusal of a request is.
pub(super) fn of_request(
    dialect: Dialect,
    refusal: &Refusal,
    learned: &Learned,
    model: &str,
    request: &ModelRequest,
    rendering: Rendering,
) -> ModelFailure {
    let mut failure = failure(dialect, refusal, learned, model, &rendering.pictures);
    if failure.kind == ModelFailureKind::ToolRefused {
        let names: Vec<&str> = request.tools.iter().map(|tool| tool.name.as_str()).collect();
        failure.tool = tool_named(&refusal.details, &names).map(str::to_owned);
        if failure.tool.is_none() {
            // Only a tool that was offered can be left out.
            failure.kind = ModelFailureKind::Permanent;
        }
    }
    ModelFailure { rendering: Some(Box::new(rendering)), ..failure }
}

/// Finds the row of a refusal, and remembers the change of form that it asks for. `pictures` are
/// those of the request.
fn failure(
    dialect: Dialect,
    refusal: &Refusal,
    learned: &Learned,
    model: &str,
    pictures: &[PictureSource],
) -> ModelFailure {
    let row = row(dialect, refusal.status, &refusal.details);
    let fallback = if refusal.status >= 500 { Action::Wait } else { Action::GiveUp };
    let action = row.map_or(fallback, |row| row.action);
    let mut failure = ModelFailure {
        kind: ModelFailureKind::Permanent,
        message: refusal.message.clone(),
        class: Some(row.map_or(UNKNOWN, |row| row.class).to_owned()),
        ..ModelFailure::default()
    };
    match action {
        Action::Adapt(forms) => {
            let known = dialect.adaptations(model);
            let new = |form: Adaptation| !known.contains(&form) && learned.add(model, form);
            // Another request may have taught it meanwhile: without pictures this one is another.
            let without = forms.contains(&Adaptation::Pictures(0)) && !pictures.is_empty();
            failure.kind = if forms.iter().any(|form| new(*form)) || without {
                ModelFailureKind::Adapted
            } else {
                // Every form was tried: the history may be what is wrong.
                ModelFailureKind::BadHistory
            };
        }
        Action::LowerLimit => {
            let lower = lengths::answer_limit(&refusal.details).map(Adaptation::Longest);
            if lower.is_some_and(|lower| learned.add(model, lower)) {
                failure.kind = ModelFailureKind::Adapted;
            }
        }
        Action::Shorten => {
            failure.kind = ModelFailureKind::TooLong;
            failure.length = lengths::of(&refusal.details).map(Box::new);
        }
        Action::LeaveOut => failure.kind = ModelFailureKind::Filtered,
        Action::AskAgain => failure.kind = ModelFailureKind::Malformed,
        Action::Repair => failure.kind = ModelFailureKind::BadHistory,
        Action::DropTool => failure.kind = ModelFailureKind::ToolRefused,
        Action::Wait => {
            failure.kind = ModelFailureKind::Temporary;
            failure.retry_after_ms = refusal.wait_ms.or_else(|| waits::of_body(&refusal.details));
        }
        Action::FewerPictures | Action::GiveUp => {}
    }
    if !pictures.is_empty() && may_be_pictures(dialect, refusal.status, row) {
        let fewer = pictures::most_named(&refusal.details).filter(|most| (*most as usize) < pictures.len());
        let new = match fewer {
            Some(most) => learned.add(model, Adaptation::Pictures(most)),
            None => learned.refuse_pictures(model, pictures.iter().map(|picture| picture.sha256.as_str())),
        };
        if new {
            failure.kind = ModelFailureKind::Adapted;
        }
    }
    failure
}

/// True if the request may succeed without its pictures: no turn fails for a picture. Local servers
/// report a picture that they cannot read as 500.
fn may_be_pictures(dialect: Dialect, status: u16, row: Option<&Row>) -> bool {
    match row {
        Some(Row { action: Action::FewerPictures, .. }) => true,
        Some(Row { class: "request_too_large", .. }) => true,
        Some(Row { class: "broken_server", .. }) => status == 500 && dialect == Dialect::Compatible,
        Some(_) => false,
        None => matches!(status, 400 | 413 | 415 | 422),
    }
}

/// The offered tool that a refusal names, by name or by place.
fn tool_named<'a>(details: &str, names: &[&'a str]) -> Option<&'a str> {
    let holds = |name: &str| {
        details.match_indices(name).any(|(at, _)| {
            let word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
            !word(details[..at].chars().next_back()) && !word(details[at + name.len()..].chars().next())
        })
    };
    names.iter().copied().find(|name| holds(name)).or_else(|| {
        let lower = details.to_lowercase();
        ["function_declarations[", "tools[", "tools."].iter().find_map(|mark| {
            let (_, rest) = lower.rsplit_once(mark)?;
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            names.get(digits.parse::<usize>().ok()?).copied()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, details: &str) -> (ModelFailure, Learned) {
        let learned = Learned::default();
        let refusal = Refusal { status, details: details.into(), ..Refusal::default() };
        (failure(Dialect::Compatible, &refusal, &learned, "m", &[]), learned)
    }

    #[test]
    fn every_row_takes_its_own_example() {
        for wanted in TABLE {
            let (status, body) = wanted.example;
            let found = row(Dialect::Compatible, status, body).map(|row| row.class);
            assert_eq!(found, Some(wanted.class), "{body}");
            assert!(wanted.source.starts_with("https://"));
            assert!(wanted.words.iter().all(|word| *word == word.to_lowercase()), "{}", wanted.class);
        }
    }

    #[test]
    fn each_form_is_tried_once() {
        let body = r#"{"message":"Unexpected role 'user' after role 'tool'"}"#;
        let learned = Learned::default();
        let refusal = Refusal { status: 400, details: body.into(), ..Refusal::default() };
        let kind = || failure(Dialect::Compatible, &refusal, &learned, "m", &[]).kind;
        use ModelFailureKind::{Adapted, BadHistory};
        assert_eq!((kind(), kind(), kind()), (Adapted, Adapted, BadHistory));
    }

    #[test]
    fn limit_of_an_answer_is_learned_from_its_number() {
        let row = TABLE.iter().find(|row| row.class == "answer_limit").unwrap();
        let (failure, learned) = refused(row.example.0, row.example.1);
        assert_eq!(failure.kind, ModelFailureKind::Adapted);
        assert!(learned.of("m").contains(&Adaptation::Longest(16_384)));
    }

    #[test]
    fn a_refused_tool_is_found_by_name_or_place() {
        let names = ["find", "crm_find", "pay"];
        assert_eq!(tool_named("Invalid schema for function 'crm_find': x", &names), Some("crm_find"));
        assert_eq!(tool_named("tools.2.custom.input_schema: bad", &names), Some("pay"));
        assert_eq!(
            tool_named("GenerateContentRequest.tools[0].function_declarations[1].parameters", &names),
            Some("crm_find")
        );
        assert_eq!(tool_named("finder is bad", &names), None);
    }

    #[test]
    fn unknown_refusals_are_final_and_broken_servers_are_not() {
        assert_eq!(refused(418, "?").0.kind, ModelFailureKind::Permanent);
        assert_eq!(refused(599, "?").0.kind, ModelFailureKind::Temporary);
        assert_eq!(refused(418, "?").0.class.as_deref(), Some("unknown"));
    }
}
