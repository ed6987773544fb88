//! Interprets an expression; every step and every collected element is one node.

use super::{
    budget::Budget,
    stop::{Stop, failed},
};
use jmespath::{
    Rcvar, RuntimeError, Variable,
    ast::{Ast, Comparator},
};
use std::{collections::BTreeMap, sync::Arc};

/// One evaluation.
pub(super) struct Run<'q> {
    /// For messages.
    pub query: &'q str,
    pub left: Budget,
}

/// Longer steps of a slice select the same, and their sums overflow.
const LONGEST_STEP: i32 = 1 << 30;

impl Run<'_> {
    pub(super) fn interpret(&mut self, data: &Rcvar, ast: &Ast) -> Result<Rcvar, Stop> {
        self.left.nodes(1)?;
        match ast {
            Ast::Identity { .. } => Ok(data.clone()),
            Ast::Literal { value, .. } => Ok(value.clone()),
            Ast::Field { name, .. } => Ok(data.get_field(name)),
            Ast::Index { idx, .. } => Ok(match usize::try_from(*idx) {
                Ok(place) => data.get_index(place),
                Err(_) => data.get_negative_index(usize::try_from(idx.unsigned_abs()).unwrap_or(usize::MAX)),
            }),
            Ast::Slice { start, stop, step, offset } => {
                if *step == 0 {
                    return Err(failed(self.query, *offset, RuntimeError::InvalidSlice));
                }
                self.left.nodes(data.as_array().map_or(0, Vec::len))?;
                let step = (*step).clamp(-LONGEST_STEP, LONGEST_STEP);
                Ok(data.slice(*start, *stop, step).map_or_else(null, array))
            }
            Ast::Subexpr { lhs, rhs, .. } => {
                let left = self.interpret(data, lhs)?;
                self.interpret(&left, rhs)
            }
            Ast::Or { lhs, rhs, .. } => {
                let left = self.interpret(data, lhs)?;
                if left.is_truthy() { Ok(left) } else { self.interpret(data, rhs) }
            }
            Ast::And { lhs, rhs, .. } => {
                let left = self.interpret(data, lhs)?;
                if left.is_truthy() { self.interpret(data, rhs) } else { Ok(left) }
            }
            Ast::Not { node, .. } => Ok(Arc::new(Variable::Bool(!self.interpret(data, node)?.is_truthy()))),
            Ast::Condition { predicate, then, .. } => {
                if self.interpret(data, predicate)?.is_truthy() {
                    self.interpret(data, then)
                } else {
                    Ok(null())
                }
            }
            Ast::Comparison { comparator, lhs, rhs, .. } => {
                let (left, right) = (self.interpret(data, lhs)?, self.interpret(data, rhs)?);
                self.compare(comparator, &left, &right)
            }
            Ast::ObjectValues { node, .. } => match &*self.interpret(data, node)? {
                Variable::Object(fields) => {
                    self.left.nodes(fields.len())?;
                    Ok(array(fields.values().cloned().collect()))
                }
                _ => Ok(null()),
            },
            Ast::Projection { lhs, rhs, .. } => match self.interpret(data, lhs)?.as_array() {
                Some(items) => self.map(items, rhs, |value| !value.is_null()),
                None => Ok(null()),
            },
            Ast::Flatten { node, .. } => match self.interpret(data, node)?.as_array() {
                Some(items) => self.flatten(items),
                None => Ok(null()),
            },
            Ast::MultiList { elements, .. } => {
                if data.is_null() {
                    return Ok(null());
                }
                let values: Result<Vec<Rcvar>, Stop> =
                    elements.iter().map(|element| self.interpret(data, element)).collect();
                values.map(array)
            }
            Ast::MultiHash { elements, .. } => {
                if data.is_null() {
                    return Ok(null());
                }
                let mut fields = BTreeMap::new();
                for pair in elements {
                    self.left.bytes(pair.key.len())?;
                    fields.insert(pair.key.clone(), self.interpret(data, &pair.value)?);
                }
                Ok(Arc::new(Variable::Object(fields)))
            }
            Ast::Function { name, args, offset } => self.call(data, name, args, *offset),
            // Elsewhere an expression is copied with everything in it, and its value is no JSON.
            Ast::Expref { .. } => Err(Stop::Failed("&… is only an argument of map, sort_by, max_by and min_by".into())),
        }
    }

    /// Applies an expression to each item.
    pub(super) fn map(&mut self, items: &[Rcvar], each: &Ast, keep: fn(&Rcvar) -> bool) -> Result<Rcvar, Stop> {
        let mut values = Vec::new();
        for item in items {
            let value = self.interpret(item, each)?;
            if keep(&value) {
                values.push(value);
            }
        }
        Ok(array(values))
    }

    fn flatten(&mut self, items: &[Rcvar]) -> Result<Rcvar, Stop> {
        let mut values = Vec::new();
        for item in items {
            match item.as_array() {
                Some(inner) => {
                    self.left.nodes(inner.len())?;
                    values.extend(inner.iter().cloned());
                }
                None => {
                    self.left.nodes(1)?;
                    values.push(item.clone());
                }
            }
        }
        Ok(array(values))
    }

    fn compare(&mut self, comparator: &Comparator, left: &Variable, right: &Variable) -> Result<Rcvar, Stop> {
        // Values of different types are compared by type alone.
        if left.get_type() == right.get_type() {
            self.left.whole(left)?;
        }
        Ok(left.compare(comparator, right).map_or_else(null, |result| Arc::new(Variable::Bool(result))))
    }
}

pub(super) fn null() -> Rcvar {
    Arc::new(Variable::Null)
}

pub(super) fn array(items: Vec<Rcvar>) -> Rcvar {
    Arc::new(Variable::Array(items))
}
