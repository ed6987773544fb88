//! Signed links to media: each gives access to one file for a day without a key, for example in an
//! `<img>` of a client.
//!
//! `<project id>.<message id>.<end of life, Unix seconds>.<mac>`, signed with the key of the
//! installation's tokens.

use crate::Context;
use domain::{
    Span,
    ids::{MessageId, ProjectId},
};
use gateways::whatsapp::token;
use subtle::ConstantTimeEq as _;

/// Minimum lifetime of a link.
const LIFE: Span = Span::from_hours(24);
/// Requests within this time get the same link, so that browsers can use their cache.
const STABLE: i64 = 3_600;

/// The path of a signed link to a message's file.
pub fn path(ctx: &Context, project: ProjectId, message: MessageId) -> String {
    let ends = ((ctx.now() + LIFE).secs() / STABLE + 1) * STABLE;
    let text = format!("{project}.{message}.{ends}");
    format!("/media/{text}.{}", mac(ctx, &text))
}

/// The message of a link with a valid signature that has not expired.
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

/// The prefix separates these signatures from those of tracking tokens.
fn mac(ctx: &Context, text: &str) -> String {
    let mac = token::mac(&ctx.tracking_key, format!("media.{text}").as_bytes());
    mac[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}
