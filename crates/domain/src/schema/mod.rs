//! JSON Schemas that tenants and MCP servers give: of limited size, compiled when they are needed,
//! and checked with counted work. All sources have the same limits (`crate::limits`).
//!
//! A schema of 2 kB can ask for 2^40 checks of one value: `{"allOf": [{"$ref": "#/$defs/b"},
//! {"$ref": "#/$defs/b"}]}`, and so on. So its references are counted expanded, and each value is
//! checked only after the work was counted.

mod bounds;
mod cache;
mod check;
mod errors;
mod patterns;
mod work;

pub use self::{
    cache::compiled,
    check::{Answer, Schema},
    errors::Problem,
};

#[cfg(test)]
mod tests;
