//! Generated contacts: id, phone, time and customer of a contact follow from its number.

use crate::server::Settings;
use domain::{
    Timestamp,
    ids::{ContactId, CustomerId, ProjectId},
};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use store::{
    DatabaseUrl, Store,
    contacts::{self, ContactRow, Identity},
    customers::{self, CustomerRow},
    transact,
};

/// Contacts per transaction.
const AT_ONCE: u64 = 2_000;
/// Creation time of the first contact, 2026-01-01; one contact per second.
const FIRST: i64 = 1_767_225_600;

pub struct Contacts {
    project: ProjectId,
    /// Contacts stored directly.
    stored: u64,
    /// Contacts created over the API.
    made: AtomicU64,
}

impl Contacts {
    pub const OF_CUSTOMER: u64 = 50;

    pub fn new(project: ProjectId) -> Self {
        Self { project, stored: 0, made: AtomicU64::new(0) }
    }

    pub const fn len(&self) -> u64 {
        self.stored
    }

    /// Pseudo-random choice of a stored contact.
    pub fn any(&self, turn: u64) -> u64 {
        let mixed = turn.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed ^ (mixed >> 29)) % self.stored
    }

    pub fn id(&self, contact: u64) -> ContactId {
        id(contact, "8000")
    }

    pub fn customer_of(&self, contact: u64) -> CustomerId {
        id(contact / Self::OF_CUSTOMER, "9000")
    }

    pub fn wa_id(contact: u64) -> String {
        format!("5511{}", 900_000_000 + contact)
    }

    /// A number that no contact has.
    pub fn new_wa_id(&self) -> String {
        format!("5521{}", 900_000_000 + self.made.fetch_add(1, Relaxed))
    }

    pub fn created_iso(contact: u64) -> String {
        created(contact).to_iso()
    }

    /// Stores contacts until there are `rows`.
    pub async fn fill(&mut self, settings: &Settings, rows: u64) {
        let url = match &settings.database {
            Some(url) => DatabaseUrl::parse(url).expect("a database"),
            None => DatabaseUrl::Sqlite(settings.data_dir.join("chasqui.db")),
        };
        let store = Store::open(&url).await.expect("the database opens");
        while self.stored < rows {
            let next = self.stored..(self.stored + AT_ONCE).min(rows);
            transact!(store, "fill", tx => {
                for contact in next.clone() {
                    if contact % Self::OF_CUSTOMER == 0 {
                        customers::insert(tx, self.project, &self.customer_row(contact)).await?;
                    }
                    let wa_id = Self::wa_id(contact);
                    let number = Identity::phone_number(wa_id);
                    contacts::insert(tx, self.project, &self.contact_row(contact), &number).await?;
                }
                Ok(())
            })
            .expect("contacts are stored");
            self.stored = next.end;
        }
        store.close().await;
    }

    fn customer_row(&self, contact: u64) -> CustomerRow {
        CustomerRow {
            id: self.customer_of(contact),
            name: format!("Clinic {}", contact / Self::OF_CUSTOMER),
            external_customer_id: Some(format!("clinic-{}", contact / Self::OF_CUSTOMER)),
            metadata: "{}".into(),
            created_at: created(contact),
            updated_at: created(contact),
        }
    }

    fn contact_row(&self, contact: u64) -> ContactRow {
        ContactRow {
            id: self.id(contact),
            profile_name: Some(format!("Ana {contact}")),
            wa_id: Some(Self::wa_id(contact)),
            user_id: None,
            customer_id: Some(self.customer_of(contact)),
            metadata: "{\"tags\": [\"recall\"]}".into(),
            created_at: created(contact),
            updated_at: created(contact),
        }
    }
}

fn created(contact: u64) -> Timestamp {
    Timestamp::from_secs(FIRST + i64::try_from(contact).expect("a number"))
}

/// Id in the form of a UUIDv7: time, then pseudo-random bits.
fn id<T>(number: u64, variant: &str) -> domain::Id<T> {
    let millis = created(number).micros() / 1_000;
    let random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) & 0xffff_ffff_ffff;
    let hex = format!("{millis:012x}");
    let text = format!("{}-{}-7000-{variant}-{random:012x}", &hex[..8], &hex[8..]);
    text.parse().unwrap_or_else(|_| panic!("{text} is an id"))
}
