//! The kinds of input: each has its seeds, its words, the computation that the product does with it,
//! and its bound (`SECURITY.md`).

mod answer;
mod graph;
mod play;
mod query;
mod schema;
mod template;
mod webhook;

use crate::measure::Kind;

pub static KINDS: [&Kind; 6] =
    [&query::KIND, &template::KIND, &schema::KIND, &graph::KIND, &answer::KIND, &webhook::KIND];
