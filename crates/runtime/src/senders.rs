//! Access tokens of the numbers that messages are sent from.

use crate::Context;
use domain::ids::{CustomerId, ProjectId, WhatsappConfigId};
use secrecy::SecretString;
use store::{
    Conn, Error, Result,
    secrets::{self, SecretKind},
    whatsapp_configs::{self, WhatsappConfigRow},
};

/// A number with its access token.
pub struct Sender {
    pub config: WhatsappConfigRow,
    pub token: SecretString,
}

/// The first production number of an account that has an access token: `first` if it qualifies, and
/// only numbers of `customer` if one is given.
pub async fn sender_of_account(
    ctx: &Context,
    conn: &mut Conn<'_>,
    project: ProjectId,
    waba_id: &str,
    customer: Option<CustomerId>,
    first: Option<WhatsappConfigId>,
) -> Result<Option<Sender>> {
    let mut configs = whatsapp_configs::production(conn, project, customer, Some(waba_id)).await?;
    configs.sort_by_key(|config| Some(config.id) != first);
    for config in configs {
        if let Some(sender) = sender_of_config(ctx, conn, project, config).await? {
            return Ok(Some(sender));
        }
    }
    Ok(None)
}

/// `None` if the number has no access token.
pub async fn sender_of_config(
    ctx: &Context,
    conn: &mut Conn<'_>,
    project: ProjectId,
    config: WhatsappConfigRow,
) -> Result<Option<Sender>> {
    let Some(id) = config.access_token_id else { return Ok(None) };
    let token = secrets::reveal(conn, &ctx.vault, project, id, SecretKind::AccessToken).await?;
    Ok(token.map(|token| Sender { config, token: SecretString::from(token) }))
}

/// The access token of a number: the sandbox's, or the project's own secret.
pub(crate) async fn access_token(
    ctx: &Context,
    project: ProjectId,
    phone_number_id: &str,
) -> Result<Option<SecretString>> {
    if let Some(sandbox) = ctx.sandbox.as_ref().filter(|sandbox| sandbox.phone_number_id == phone_number_id) {
        return Ok(Some(sandbox.access_token.clone()));
    }
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    // Sends need no proof: Meta refuses a token that does not own the number.
    let Some(config) = whatsapp_configs::of_number(&mut conn, project, phone_number_id).await? else { return Ok(None) };
    let Some(token) = config.access_token_id else { return Ok(None) };
    let secret = secrets::reveal(&mut conn, &ctx.vault, project, token, SecretKind::AccessToken).await?;
    // The token was replaced between the two reads.
    let secret = secret.ok_or_else(|| Error::Retry("the access token was replaced".into()))?;
    Ok(Some(SecretString::from(secret)))
}
