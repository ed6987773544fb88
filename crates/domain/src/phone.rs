//! Phone numbers as WhatsApp knows them.
