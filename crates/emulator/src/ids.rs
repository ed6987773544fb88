//! Deterministic ids: each is derived from `HMAC(seed, kind and counter)`.
//!
//! Each kind has its own counter, so that an extra error answer (which takes a trace id) does not
//! change later message ids.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::messages::Direction;

pub(crate) struct Ids {
    seed: u64,
    counters: BTreeMap<&'static str, u64>,
}

impl Ids {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, counters: BTreeMap::new() }
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// Next value of a kind's counter, from 1.
    pub(crate) fn count(&mut self, kind: &'static str) -> u64 {
        let counter = self.counters.entry(kind).or_default();
        *counter += 1;
        *counter
    }

    /// Message id in Meta's form: base64 of the phone number and some hex.
    pub(crate) fn wamid(&mut self, direction: Direction, phone: Option<&str>) -> String {
        let phone = phone.unwrap_or("0");
        let (marker, length) = match direction {
            Direction::Out => (0x11, 18),
            Direction::In => (0x12, 20),
        };
        let hex: String = self.block("wamid").iter().map(|b| format!("{b:02X}")).collect();
        let mut bytes = vec![0x1C, 0x18, u8::try_from(phone.len()).unwrap_or(u8::MAX)];
        bytes.extend_from_slice(phone.as_bytes());
        bytes.extend_from_slice(&[0x15, 0x02, 0x00, marker, 0x18, length]);
        bytes.extend_from_slice(&hex.as_bytes()[..usize::from(length)]);
        bytes.push(0x00);
        format!("wamid.{}", STANDARD.encode(bytes))
    }

    /// Trace id: `A` and 20 letters or digits.
    pub(crate) fn trace(&mut self) -> String {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
        let block = self.block("trace");
        let letters = block.iter().take(20).map(|b| char::from(LETTERS[usize::from(b % 64)]));
        std::iter::once('A').chain(letters).collect()
    }

    /// Sixteen digits, the first not zero.
    pub(crate) fn digits(&mut self, kind: &'static str) -> String {
        let block = self.block(kind);
        let mut digits: String = block.iter().take(15).map(|b| char::from(b'0' + b % 10)).collect();
        digits.insert(0, '1');
        digits
    }

    /// A number in `0.0..1.0`.
    pub(crate) fn fraction(&mut self, kind: &'static str) -> f64 {
        let block = self.block(kind);
        let number = u32::from_be_bytes([block[0], block[1], block[2], block[3]]);
        f64::from(number) / (f64::from(u32::MAX) + 1.0)
    }

    fn block(&mut self, kind: &'static str) -> [u8; 32] {
        let count = self.count(kind);
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.seed.to_be_bytes()).expect("HMAC takes a key of any length");
        mac.update(kind.as_bytes());
        mac.update(&count.to_be_bytes());
        mac.finalize().into_bytes().into()
    }
}
