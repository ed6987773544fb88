//! Links to files: whoever has one reads one file for a day, without a key. So an `<img>` of a client's page can show it.
//!
//! `<project id>.<message id>.<end of life, Unix seconds>.<mac>`, signed with the key of the installation's tokens.

use crate::Context;
use domain::{
    Span,
    ids::{MessageId, ProjectId},
};
use gateways::whatsapp::token;
use subtle::ConstantTimeEq as _;

/// Each link is good for this long at least.
const LIFE: Span = Span::from_hours(24);
/// Whoever asks again within this time gets the same link, so that browsers need not download the file again.
const SAME: i64 = 3_600;

/// Where a message's file can be read, below the server's address.
pub fn path(ctx: &Context, project: ProjectId, message: MessageId) -> String {
    let ends = ((ctx.now() + LIFE).secs() / SAME + 1) * SAME;
    let text = format!("{project}.{message}.{ends}");
    format!("/media/{text}.{}", mac(ctx, &text))
}

/// Whose file a link leads to, if it is one of ours and still good.
pub fn read(ctx: &Context, link: &str) -> Option<(ProjectId, MessageId)> {
    let (text, shown) = link.rsplit_once('.')?;
    if !bool::from(mac(ctx, text).as_bytes().ct_eq(shown.as_bytes())) {
        return None;
    }
    let mut parts = text.split('.');
    let (project, message) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let ends: i64 = parts.next()?.parse().ok()?;
    (ctx.now().secs() < ends).then_some((project, message))
}

/// No token of another purpose is signed with this word before it.
fn mac(ctx: &Context, text: &str) -> String {
    let mac = token::mac(&ctx.tracking_key, format!("media.{text}").as_bytes());
    mac[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}
