//! The accounts that exist before anybody calls: one business, one number, one app, three people.
//!
//! The values are public constants so that the server's development settings and the tests name
//! the same things. They are no secrets: nothing outside this emulator knows them.

use crate::users::User;

/// The WhatsApp Business Account of the default world.
pub const WABA_ID: &str = "200000000000001";
/// The business phone number of the default world, as the Graph API names it.
pub const PHONE_NUMBER_ID: &str = "100000000000001";
/// The same number as people dial it, digits only.
pub const DISPLAY_PHONE_NUMBER: &str = "15550001111";
/// A second number of the same account, which nothing uses yet: see [`World::with_own_number`].
pub const OWN_NUMBER_ID: &str = "100000000000002";
/// That number as people dial it, digits only.
pub const OWN_DISPLAY_NUMBER: &str = "15550002222";
/// The app that webhooks are signed for.
pub const APP_ID: &str = "300000000000001";
/// The key of the webhook signatures.
pub const APP_SECRET: &str = "emulator-app-secret";
/// The one token the Graph API accepts.
pub const ACCESS_TOKEN: &str = "EAAEMULATORTOKEN";
/// What the handshake sends as `hub.verify_token` unless told otherwise.
pub const VERIFY_TOKEN: &str = "emulator-verify-token";
/// Where the manual clock starts, in Unix seconds.
pub const START_SECONDS: u64 = 1_790_000_000;

/// The accounts and people at the start.
#[derive(Debug, Clone)]
pub struct World {
    /// WhatsApp Business Account id.
    pub waba_id: String,
    /// App id.
    pub app_id: String,
    /// App secret, the key of the webhook signatures.
    pub app_secret: String,
    /// The access token the Graph API accepts.
    pub token: String,
    /// The business's numbers; the first is the default of control calls.
    pub numbers: Vec<PhoneNumber>,
    /// The people with phones.
    pub users: Vec<User>,
}

/// One phone number of the business.
#[derive(Debug, Clone, serde::Serialize)]
pub struct PhoneNumber {
    /// The Graph id, which is not the number people dial.
    pub id: String,
    /// The dialled number, digits only.
    pub display: String,
}

impl World {
    /// The default world with a number that a project may register as its own, beside the one of the sandbox.
    pub fn with_own_number() -> Self {
        let mut world = Self::default();
        world.numbers.push(PhoneNumber { id: OWN_NUMBER_ID.to_owned(), display: OWN_DISPLAY_NUMBER.to_owned() });
        world
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
