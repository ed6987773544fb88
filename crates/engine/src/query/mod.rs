//! JMESPath over the answers of tools, with counted work.
//!
//! The interpreter of the `jmespath` crate cannot be stopped, and 200 bytes can ask for more memory
//! than there is. So its parser and its plain functions are used, and everything that repeats or
//! multiplies is interpreted here, where each node and byte is charged first.

mod budget;
mod functions;
mod interpret;
mod select;
mod stop;

pub(crate) use self::select::{Selected, select};

#[cfg(test)]
mod tests;
