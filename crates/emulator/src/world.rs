//! Initial accounts and contacts: one business, one number, one app, three contacts.
//!
//! The values are public constants, shared by the server's development settings and the tests.
//! They are no secrets: only this emulator accepts them.

use crate::{
    credentials::{ACCESS_TOKEN, APP_SECRET, Credentials},
    users::User,
};

/// WhatsApp Business Account id of the default world.
pub const WABA_ID: &str = "200000000000001";
/// Graph id of the default world's phone number.
pub const PHONE_NUMBER_ID: &str = "100000000000001";
/// Dialled form of [`PHONE_NUMBER_ID`], digits only.
pub const DISPLAY_PHONE_NUMBER: &str = "15550001111";
/// Graph id of the second number in [`World::with_own_number`].
pub const OWN_NUMBER_ID: &str = "100000000000002";
/// Dialled form of [`OWN_NUMBER_ID`], digits only.
pub const OWN_DISPLAY_NUMBER: &str = "15550002222";

pub const APP_ID: &str = "300000000000001";

/// Accounts and contacts at the start and after a reset.
#[derive(Debug, Clone)]
pub struct World {
    pub waba_id: String,

    pub app_id: String,
    /// Key of the webhook signatures.
    pub app_secret: String,
    /// Access token that the Graph API accepts.
    pub token: String,
    /// Numbers of the business; the first is the default of control calls.
    pub numbers: Vec<PhoneNumber>,

    pub users: Vec<User>,
}

#[derive(Debug, Clone, serde::Serialize)]
pub struct PhoneNumber {
    /// Graph id, which is not the number that contacts dial.
    pub id: String,
    /// Dialled number, digits only.
    pub display: String,
}

impl World {
    /// Default world plus a number that a project can connect as its own, next to the sandbox's.
    pub fn with_own_number() -> Self {
        let mut world = Self::default();
        world.numbers.push(PhoneNumber { id: OWN_NUMBER_ID.to_owned(), display: OWN_DISPLAY_NUMBER.to_owned() });
        world
    }

    /// The same world with other secrets.
    #[must_use]
    pub fn with(self, credentials: &Credentials) -> Self {
        Self { app_secret: credentials.app_secret.clone(), token: credentials.token.clone(), ..self }
    }

    pub(crate) fn number(&self, id: &str) -> Option<&PhoneNumber> {
        self.numbers.iter().find(|number| number.id == id)
    }
}

impl Default for World {
    fn default() -> Self {
        Self {
            waba_id: WABA_ID.to_owned(),
            app_id: APP_ID.to_owned(),
            app_secret: APP_SECRET.to_owned(),
            token: ACCESS_TOKEN.to_owned(),
            numbers: vec![PhoneNumber { id: PHONE_NUMBER_ID.to_owned(), display: DISPLAY_PHONE_NUMBER.to_owned() }],
            users: vec![
                User {
                    wa_id: Some("5511999990001".to_owned()),
                    user_id: Some("BR.1009000000000001".to_owned()),
                    ..User::new("ana", "Ana Souza")
                },
                User {
                    wa_id: Some("15557770002".to_owned()),
                    user_id: Some("US.2009000000000002".to_owned()),
                    ..User::new("bob", "Bob Miller")
                },
                User {
                    user_id: Some("AR.3009000000000003".to_owned()),
                    username: Some("caro.mx".to_owned()),
                    ..User::new("caro", "Caro")
                },
            ],
        }
    }
}
