//! Pictures of a contact: history names their messages, and a request repeats the names.

use crate::{
    graphs::{content_a, v1},
    play::{Play, ask, calls, text},
};
use domain::{Id, chat::ChatMessage, ids::MessageId, picture::PICTURE_TOKENS};
use engine::{Compiled, Input};

fn picture(n: u128) -> MessageId {
    Id::from_uuid(uuid::Uuid::from_u128(n))
}

fn sent(play: &mut Play, text: &str, n: Option<u128>) -> Input {
    Input::Message { id: play.key(), text: text.into(), picture: n.map(picture) }
}

/// Texts and pictures of the last request's inputs.
fn shown(play: &Play) -> Vec<(&str, Vec<MessageId>)> {
    let messages = &play.requests.last().unwrap().messages;
    let inputs = messages.iter().filter_map(|message| match message {
        ChatMessage::User { content, pictures } => Some((content.as_str(), pictures.clone())),
        _ => None,
    });
    inputs.collect()
}

#[test]
fn pictures_of_a_burst_belong_to_its_text() {
    let mut play = Play::new(Compiled::new(&content_a()).unwrap());
    let burst =
        [sent(&mut play, "[image]", Some(1)), sent(&mut play, "which?", None), sent(&mut play, "[sticker]", Some(2))];
    play.feed(&burst);
    play.answer([text("The left one.")]);
    let (said, pictures) = shown(&play).pop().unwrap();
    assert_eq!((said, pictures), ("[image]\nwhich?\n[sticker]", vec![picture(1), picture(2)]));
    let entry = play
        .history
        .iter()
        .find(|(_, message)| matches!(message, ChatMessage::User { pictures, .. } if pictures.len() == 2));
    let (seq, entry) = entry.unwrap();
    let size = play.state.history.sizes[usize::try_from(*seq).unwrap() - 1];
    assert!((2 * PICTURE_TOKENS..2 * PICTURE_TOKENS + 100).contains(&size), "{size}");
    let stored = serde_json::to_string(entry).unwrap();
    assert!(stored.len() < 300 && stored.contains("00000000-0000-0000-0000-000000000001"), "{stored}");
}

#[test]
fn version_1_shows_pictures_behind_the_result_that_holds_their_text() {
    let mut play = Play::new(v1(content_a()));
    let first = sent(&mut play, "[image]", Some(1));
    play.feed(&[first]);
    play.answer([calls([ask("Which one?")])]);
    let names = "[pictures of the contact's message]";
    assert_eq!(shown(&play), [(names, vec![picture(1)])]);
    let reply = sent(&mut play, "[image]\nthis", Some(2));
    play.feed(&[reply]);
    play.answer([calls([ask("Anything else?")])]);
    assert_eq!(shown(&play), [(names, vec![picture(1)]), (names, vec![picture(2)])]);
}

#[test]
fn filtered_text_is_left_out_with_its_pictures() {
    for agent in [v1(content_a()), Compiled::new(&content_a()).unwrap()] {
        let mut play = Play::new(agent);
        let input = sent(&mut play, "[image]\nlook", Some(1));
        play.feed(&[input]);
        let pictures = |play: &Play| {
            let request = engine::model_request(&play.agent, &play.state, &play.pending_model(), &play.history);
            let messages = request.messages.iter();
            messages
                .filter(|message| matches!(message, ChatMessage::User { pictures, .. } if !pictures.is_empty()))
                .count()
        };
        assert_eq!(pictures(&play), 1);
        play.state.history.left_out.push("[image]\nlook".into());
        assert_eq!(pictures(&play), 0);
    }
}
