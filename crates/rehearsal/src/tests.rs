//! Whole conversations, in three languages, with agents the rehearsal model has never heard of.

mod anything;
mod clinic;
mod harness;
mod reading;
mod shop;
mod small;
