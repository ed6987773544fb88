//! Value types of bodies, queries and answers, each with its schema.

use domain::{
    Span, Timestamp,
    phone::{self, Phone},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::borrow::Cow;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type},
};

/// A time in ISO 8601.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) Timestamp);

impl Time {
    /// Last microsecond that is shown as this time; for filters, because answers show milliseconds.
    pub(crate) fn end(self) -> Timestamp {
        let shown = self.0.micros() % 1_000 == 0;
        self.0 + Span::from_micros(if shown { 999 } else { 0 })
    }
}

impl From<Timestamp> for Time {
    fn from(time: Timestamp) -> Self {
        Self(time)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_iso())
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Timestamp::parse_iso(&text).map(Self).ok_or_else(|| D::Error::custom("not an ISO 8601 time"))
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
        ObjectBuilder::new().schema_type(Type::String).format(Some(format)).into()
    }
}

impl ToSchema for Time {}

/// An e-mail address in the stored spelling; `None` for another text.
pub(crate) fn email_address(text: &str) -> Option<String> {
    let email = text.trim().to_lowercase();
    let (name, host) = email.split_once('@')?;
    let is_odd = |c: char| c.is_whitespace() || c.is_control();
    let fits = !name.is_empty() && !host.is_empty() && email.len() <= 254 && !email.contains(is_odd);
    fits.then_some(email)
}

/// A phone number with country code, in any common spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PhoneNumber(pub(crate) Phone);

impl<'de> Deserialize<'de> for PhoneNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        phone::normalise(&Cow::<str>::deserialize(deserializer)?).map(Self).map_err(D::Error::custom)
    }
}

impl PartialSchema for PhoneNumber {
    fn schema() -> RefOr<Schema> {
        let format = SchemaFormat::Custom("phone".into());
        let about = "With country code; a leading plus, spaces and dashes are fine.";
        let text = ObjectBuilder::new().schema_type(Type::String).format(Some(format)).max_length(Some(32));
        text.description(Some(about)).into()
    }
}

impl ToSchema for PhoneNumber {}

/// An enumeration for the document where the field itself is text:, where the value itself is a
/// text: `words!(MessageDirection = "inbound", "outbound")`, then `#[schema(value_type =
/// MessageDirection)]` on the field.
macro_rules! words {
    ($(#[$about:meta])* $name:ident = $($word:expr),+ $(,)?) => {
        $(#[$about])*
        pub(crate) enum $name {}

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                let text = utoipa::openapi::ObjectBuilder::new().schema_type(utoipa::openapi::Type::String);
                text.enum_values(Some([$($word),+])).into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}
pub(crate) use words;
