//! Functions of JMESPath. Those that apply an expression are here; the crate has the others, and
//! they are charged for their arguments first.

use super::{
    interpret::{Run, array, null},
    stop::{Stop, failed},
};
use jmespath::{Context, DEFAULT_RUNTIME, Rcvar, RuntimeError, Variable, ast::Ast};

impl Run<'_> {
    pub(super) fn call(&mut self, data: &Rcvar, name: &str, args: &[Ast], offset: usize) -> Result<Rcvar, Stop> {
        let places = match name {
            "map" => Some((1, 0)),
            "sort_by" | "max_by" | "min_by" => Some((0, 1)),
            _ => None,
        };
        if let Some((items, each)) = places {
            let (items, each) = self.items_and_expression(data, args, (items, each), offset)?;
            let Variable::Array(items) = &*items else { return Ok(null()) };
            return match name {
                "map" => self.map(items, each, |_| true),
                "sort_by" => self.sort_by(items, each, offset),
                _ => self.extreme(items, each, offset, name == "max_by"),
            };
        }
        let Some(function) = DEFAULT_RUNTIME.get_function(name) else {
            return Err(failed(self.query, offset, RuntimeError::UnknownFunction(name.to_owned())));
        };
        let args = args.iter().map(|arg| self.interpret(data, arg)).collect::<Result<Vec<Rcvar>, Stop>>()?;
        self.charge(name, &args)?;
        let mut context = Context { expression: self.query, runtime: &DEFAULT_RUNTIME, offset };
        function.evaluate(&args, &mut context).map_err(|error| Stop::Failed(error.to_string()))
    }

    /// Charges what a function of the crate may do with its arguments.
    fn charge(&mut self, name: &str, args: &[Rcvar]) -> Result<(), Stop> {
        match name {
            "abs" | "ceil" | "floor" | "type" | "not_null" | "to_array" => self.left.nodes(args.len()),
            "length" => args.iter().try_for_each(|arg| self.left.bytes(arg.as_string().map_or(1, String::len))),
            // They look at everything inside.
            "contains" | "to_string" => args.iter().try_for_each(|arg| self.left.whole(arg)),
            "sort" => args.iter().try_for_each(|arg| self.left.outer(arg, comparisons(arg.as_array().map(Vec::len)))),
            // A text may hold JSON with a node in each of its bytes.
            "to_number" => args.iter().try_for_each(|arg| self.left.nodes(arg.as_string().map_or(1, String::len))),
            "join" => {
                let glue = args.first().and_then(|arg| arg.as_string()).map_or(0, String::len);
                let times = args.get(1).and_then(|arg| arg.as_array()).map_or(0, Vec::len);
                self.left.bytes(glue.saturating_mul(times))?;
                args.iter().try_for_each(|arg| self.left.outer(arg, 2))
            }
            _ => args.iter().try_for_each(|arg| self.left.outer(arg, 1)),
        }
    }

    /// The list and the expression of a function that takes both.
    fn items_and_expression<'a>(
        &mut self,
        data: &Rcvar,
        args: &'a [Ast],
        (items, each): (usize, usize),
        offset: usize,
    ) -> Result<(Rcvar, &'a Ast), Stop> {
        let (expected, actual) = (2, args.len());
        let wrong = |error| failed(self.query, offset, error);
        if actual < expected {
            return Err(wrong(RuntimeError::NotEnoughArguments { expected, actual }));
        }
        if actual > expected {
            return Err(wrong(RuntimeError::TooManyArguments { expected, actual }));
        }
        let other = |expected: &str, actual: String, position| RuntimeError::InvalidType {
            expected: expected.into(),
            actual,
            position,
        };
        let Ast::Expref { ast, .. } = &args[each] else {
            return Err(wrong(other("expref", "another value".into(), each)));
        };
        let list = self.interpret(data, &args[items])?;
        if !list.is_array() {
            return Err(failed(self.query, offset, other("array", list.get_type().to_string(), items)));
        }
        Ok((list, ast))
    }

    fn sort_by(&mut self, items: &[Rcvar], each: &Ast, offset: usize) -> Result<Rcvar, Stop> {
        let mut keyed = self.keyed(items, each, offset)?;
        let times = comparisons(Some(keyed.len()));
        keyed.iter().try_for_each(|(key, _)| self.left.outer(key, times))?;
        keyed.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(array(keyed.into_iter().map(|(_, item)| item).collect()))
    }

    /// The first item with the greatest or the smallest key.
    fn extreme(&mut self, items: &[Rcvar], each: &Ast, offset: usize, greatest: bool) -> Result<Rcvar, Stop> {
        let mut best: Option<(Rcvar, Rcvar)> = None;
        for (key, item) in self.keyed(items, each, offset)? {
            self.left.outer(&key, 1)?;
            let better = best.as_ref().is_none_or(|(other, _)| if greatest { key > *other } else { key < *other });
            if better {
                best = Some((key, item));
            }
        }
        Ok(best.map_or_else(null, |(_, item)| item))
    }

    /// Each item with its key: all keys are texts, or all are numbers.
    fn keyed(&mut self, items: &[Rcvar], each: &Ast, offset: usize) -> Result<Vec<(Rcvar, Rcvar)>, Stop> {
        let mut keyed: Vec<(Rcvar, Rcvar)> = Vec::new();
        for (place, item) in items.iter().enumerate() {
            let key = self.interpret(item, each)?;
            let expected = match keyed.first() {
                Some((first, _)) if first.get_type() != key.get_type() => format!("expression->{}", first.get_type()),
                None if !key.is_string() && !key.is_number() => "expression->string|expression->number".into(),
                _ => {
                    keyed.push((key, item.clone()));
                    continue;
                }
            };
            let (actual, invocation) = (key.get_type().to_string(), place.max(1));
            let error = RuntimeError::InvalidReturnType { expected, actual, position: 1, invocation };
            return Err(failed(self.query, offset, error));
        }
        Ok(keyed)
    }
}

/// Comparisons of each item when so many are sorted.
fn comparisons(items: Option<usize>) -> usize {
    items.and_then(usize::checked_ilog2).map_or(1, |log| log as usize + 1)
}
