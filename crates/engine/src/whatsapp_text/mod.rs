//! Markdown of models as WhatsApp shows it (docs/spec/engine.md 3.2).
//!
//! WhatsApp has `*bold*`, `_italic_`, `~strike~`, code, `- ` and `1. ` lists and `> ` quotes
//! (faq.whatsapp.com, "How to format your messages"). A parser of Markdown is no help: it reads
//! WhatsApp's own `*bold*` as italic and the sum `2*3*4` as emphasis, and a text that passes twice
//! must stay as it is. So only what is clearly Markdown is changed, line by line.

mod blocks;
mod inline;
mod split;

pub(crate) use split::{Split, shortened, split};

/// A change may uncover another one (`\*\*x\*\*`); more rounds than this change nothing any more.
const ROUNDS: usize = 6;

/// The text with WhatsApp's marks. A text that has them already is unchanged.
pub(crate) fn render(text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..ROUNDS {
        let next = blocks::render(&text);
        if next == text {
            break;
        }
        text = next;
    }
    text
}
