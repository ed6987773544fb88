//! `POST /whatsapp_contacts`

use super::view::{self, WhatsappContact};
use crate::{
    ApiError,
    api::{Created, Data, PhoneNumber, Problems, RequestBody, body},
    auth::ProjectContext,
    change::{Changed, change},
};
use axum::extract::Request;
use domain::{Id, event::Event};
use runtime::events;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use store::{
    contacts::{self, ContactRow, Identity},
    customers,
};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Deserialize, ToSchema)]
pub(super) struct WhatsappContactCreateRequest {
    contact: NewWhatsappContact,
}

impl RequestBody for WhatsappContactCreateRequest {
    const WRAPPER: &'static [&'static str] = &["contact"];

    fn check(body: &Value, problems: &mut Problems) {
        view::check_metadata(body, "/contact/metadata", problems);
    }
}

#[derive(Deserialize, ToSchema)]
struct NewWhatsappContact {
    /// Phone number with country code, in any spelling; unique in the project.
    wa_id: PhoneNumber,
    #[schema(max_length = 255)]
    profile_name: Option<String>,
    /// Customer to whom the contact belongs.
    customer_id: Option<Uuid>,
    /// At most 16 KiB, included in prompts. `time_zone`, e.g. `America/Bogota`, sets the contact's
    /// local time.
    metadata: Option<Map<String, Value>>,
}

/// Create a contact
///
/// Contacts are also created by their first message.
#[utoipa::path(
    post, path = "/whatsapp_contacts", operation_id = "create_whatsapp_contact", tag = "WhatsApp Contacts",
    request_body = WhatsappContactCreateRequest,
    responses(
        (status = 201, description = "The contact.", body = Data<WhatsappContact>),
        (status = 422, description = "Details: `taken`, `unknown_customer`, `too_large`"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    request: Request,
) -> Result<Changed<Created<WhatsappContact>>, ApiError> {
    let new = body::read::<WhatsappContactCreateRequest>(request).await?.contact;
    let (project, phone) = (ctx.project, new.wa_id.0);
    let identity = Identity::phone_number(phone.canonical());
    let metadata = Value::Object(new.metadata.unwrap_or_default()).to_string();
    change!(ctx, "whatsapp_contact.create", tx => {
        let mut problems = Problems::default();
        if contacts::by_identity(tx, project, &identity).await?.is_some() {
            problems.add("/contact/wa_id", "taken", "has already been taken");
        }
        let customer_id = new.customer_id.map(Id::from_uuid);
        if let Some(customer) = customer_id
            && customers::find(tx, project, customer).await?.is_none()
        {
            problems.add("/contact/customer_id", "unknown_customer", "no such customer");
        }
        problems.done()?;
        let now = ctx.now();
        let row = ContactRow {
            id: ctx.new_id(),
            profile_name: new.profile_name.clone(),
            wa_id: Some(phone.digits().to_owned()),
            user_id: None,
            customer_id,
            metadata: metadata.clone(),
            created_at: now,
            updated_at: now,
        };
        contacts::insert(tx, project, &row, &identity).await?;
        events::append(&ctx, tx, project, Event::ContactUpdated, row.id.uuid(), &json!({})).await?;
        Ok(Created(WhatsappContact::of(&row)?))
    })
}
