//! `POST /setup/{token}`: connects a number by its credentials.

use super::{
    connect::{Number, Refusal, connect},
    render::Entered,
    visit::{Arrived, Stop},
};
use crate::AppState;
use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use secrecy::SecretString;

pub(crate) async fn handle(
    State(ctx): State<AppState>,
    Path(token): Path<String>,
    request: Request,
) -> Result<Response, Stop> {
    let (arrived, bytes) = Arrived::with_form(&ctx, token, request).await?;
    let form = Form::read(&bytes);
    let number = Number {
        name: &form.name,
        phone_number_id: &form.phone_number_id,
        business_account_id: &form.business_account_id,
        access_token: &SecretString::from(form.access_token.as_str()),
        pin: None,
    };
    let page = arrived.page(&ctx);
    Ok(match connect(&ctx, &arrived, number).await? {
        Ok(response) => response,
        Err(Refusal::Fields(wrong)) => page.form(&form.entered(wrong), None),
        Err(Refusal::Reason(reason)) => page.form(&form.entered(Vec::new()), Some(reason)),
    })
}

#[derive(Default)]
struct Form {
    name: String,
    phone_number_id: String,
    business_account_id: String,
    access_token: String,
}

impl Form {
    fn read(bytes: &[u8]) -> Self {
        let mut form = Self::default();
        for (name, value) in url::form_urlencoded::parse(bytes) {
            let field = match name.as_ref() {
                "name" => &mut form.name,
                "phone_number_id" => &mut form.phone_number_id,
                "business_account_id" => &mut form.business_account_id,
                "access_token" => &mut form.access_token,
                _ => continue,
            };
            value.trim().clone_into(field);
        }
        form
    }

    fn entered(&self, wrong: Vec<String>) -> Entered {
        Entered {
            name: self.name.clone(),
            phone_number_id: self.phone_number_id.clone(),
            business_account_id: self.business_account_id.clone(),
            wrong,
        }
    }
}
