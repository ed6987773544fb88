//! Compares an operation with the contract. We may accept more than the contract's clients send,
//! and must answer within what its clients expect.

use super::{
    operations::Operation,
    shape::{BOUNDS, Shape},
};
use serde_json::Value;
use std::collections::BTreeSet;

#[derive(Default)]
pub struct Findings {
    /// Number of compared fields and parameters.
    pub compared: usize,
    pub differences: Vec<String>,
}

impl Findings {
    fn add(&mut self, place: &str, what: impl AsRef<str>) {
        self.differences.push(format!("{place}: {}", what.as_ref()));
    }

    fn take_best(&mut self, tries: impl IntoIterator<Item = Self>) {
        if let Some(best) = tries.into_iter().min_by_key(|tried| tried.differences.len()) {
            self.compared += best.compared;
            self.differences.extend(best.differences);
        }
    }
}

/// Direction of the data.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    In,
    Out,
}

#[derive(Clone, Copy)]
struct Pair<'a> {
    ours: (&'a Value, &'a Value),
    theirs: (&'a Value, &'a Value),
}

pub fn operation(ours: &Operation, theirs: &Operation, findings: &mut Findings) {
    if ours.name != theirs.name {
        findings.add("operationId", format!("is {}", ours.name));
    }
    let own = ours.parameters();
    for parameter in theirs.parameters() {
        let place = format!("{} {}", parameter["in"].as_str().unwrap(), parameter["name"].as_str().unwrap());
        findings.compared += 1;
        let Some(mine) = own.iter().find(|mine| mine["in"] == parameter["in"] && mine["name"] == parameter["name"])
        else {
            findings.add(&place, "missing");
            continue;
        };
        if (mine["required"] == true) != (parameter["required"] == true) {
            findings.add(&place, "required differs");
        }
        let schemas =
            Pair { ours: (&ours.document, &mine["schema"]), theirs: (&theirs.document, &parameter["schema"]) };
        schema(schemas, Way::In, &place, findings);
    }
    bodies(&ours.value["requestBody"], &theirs.value["requestBody"], (ours, theirs), Way::In, "body", findings);
    for status in theirs.value["responses"].as_object().unwrap().keys() {
        findings.compared += 1;
        if ours.value["responses"].get(status).is_none() {
            findings.add(status, "missing");
            continue;
        }
        bodies(ours.response(status), theirs.response(status), (ours, theirs), Way::Out, status, findings);
    }
}

fn bodies(ours: &Value, theirs: &Value, of: (&Operation, &Operation), way: Way, place: &str, findings: &mut Findings) {
    for (media, content) in theirs["content"].as_object().into_iter().flatten() {
        let Some(mine) = ours["content"].get(media) else {
            findings.add(place, format!("{media} missing"));
            continue;
        };
        let schemas = Pair { ours: (&of.0.document, &mine["schema"]), theirs: (&of.1.document, &content["schema"]) };
        schema(schemas, way, place, findings);
    }
}

fn schema(pair: Pair<'_>, way: Way, place: &str, findings: &mut Findings) {
    let (ours, theirs) = (Shape::of(pair.ours.0, pair.ours.1), Shape::of(pair.theirs.0, pair.theirs.1));
    if !theirs.variants.is_empty() {
        return variants(pair, (&ours, &theirs), way, place, findings);
    }
    // If we accept several shapes, one must fit; or their union, if the contract does not separate
    // them.
    if way == Way::In && !ours.variants.is_empty() {
        let document = pair.ours.0;
        let mut shapes = vec![ours.clone().merged(document)];
        for variant in &ours.variants {
            let mut shape = Shape::of(document, variant).merged(document);
            shape.types.extend(ours.types.clone());
            shapes.push(shape);
        }
        let tries = shapes.iter().map(|shape| {
            let mut tried = Findings::default();
            same(shape, &theirs, pair, way, place, &mut tried);
            tried
        });
        return findings.take_best(tries);
    }
    same(&ours.merged(pair.ours.0), &theirs, pair, way, place, findings);
}

/// Compares two shapes without variants.
fn same(ours: &Shape, theirs: &Shape, pair: Pair<'_>, way: Way, place: &str, findings: &mut Findings) {
    types(&ours.types, &theirs.types, way, place, findings);
    words(ours.words.as_ref(), theirs.words.as_ref(), way, place, findings);
    if let Some(format) = &theirs.format {
        let other = ours.format.as_ref() != Some(format);
        if other && (way == Way::Out || ours.format.is_some()) {
            findings.add(place, format!("format {:?} instead of {format}", ours.format));
        }
    }
    for bound in BOUNDS {
        let (mine, wanted) = (ours.bounds.get(bound), theirs.bounds.get(bound));
        if wanted.is_some() && mine.map(number) != wanted.map(number) {
            findings.add(place, format!("{bound} {mine:?} instead of {wanted:?}"));
        }
    }
    for name in &theirs.required {
        if !ours.required.contains(name) {
            findings.add(&format!("{place}/{name}"), "not required");
        }
    }
    if way == Way::In {
        for name in ours.required.difference(&theirs.required) {
            findings.add(&format!("{place}/{name}"), "required although the contract lets it out");
        }
    }
    for (name, property) in &theirs.properties {
        findings.compared += 1;
        let place = format!("{place}/{name}");
        match ours.properties.get(name) {
            Some(mine) => {
                let inner = Pair { ours: (pair.ours.0, mine), theirs: (pair.theirs.0, property) };
                schema(inner, way, &place, findings);
            }
            None => findings.add(&place, "missing"),
        }
    }
    let parts = [(&ours.items, &theirs.items, "[]"), (&ours.values, &theirs.values, "{}")];
    for (mine, wanted, mark) in parts {
        if let Some(wanted) = wanted {
            let anything = Value::Bool(true);
            let mine = mine.as_ref().unwrap_or(&anything);
            let inner = Pair { ours: (pair.ours.0, mine), theirs: (pair.theirs.0, wanted) };
            schema(inner, way, &format!("{place}{mark}"), findings);
        }
    }
}

/// Each sent shape must fit one shape of the receiver.
fn variants(pair: Pair<'_>, shapes: (&Shape, &Shape), way: Way, place: &str, findings: &mut Findings) {
    let alone = [pair.ours.1.clone()];
    let mine = if shapes.0.variants.is_empty() { alone.as_slice() } else { &shapes.0.variants };
    let wanted = shapes.1.variants.as_slice();
    let (sent, taken) = if way == Way::In { (wanted, mine) } else { (mine, wanted) };
    for one in sent {
        let tries = taken.iter().map(|other| {
            let (mine, wanted) = if way == Way::In { (other, one) } else { (one, other) };
            let mut tried = Findings::default();
            let inner = Pair { ours: (pair.ours.0, mine), theirs: (pair.theirs.0, wanted) };
            schema(inner, way, place, &mut tried);
            tried
        });
        findings.take_best(tries);
    }
    let (ours, theirs) = (shapes.0.types.contains("null"), shapes.1.types.contains("null"));
    if (way == Way::In && theirs && !ours) || (way == Way::Out && ours && !theirs) {
        findings.add(place, "null differs");
    }
}

fn types(ours: &BTreeSet<String>, theirs: &BTreeSet<String>, way: Way, place: &str, findings: &mut Findings) {
    let covers =
        |all: &BTreeSet<String>, one: &String| all.contains(one) || (one == "integer" && all.contains("number"));
    let fits = |some: &BTreeSet<String>, all: &BTreeSet<String>| some.iter().all(|one| covers(all, one));
    let fine = match way {
        _ if theirs.is_empty() => true,
        Way::In => ours.is_empty() || fits(theirs, ours),
        Way::Out => !ours.is_empty() && fits(ours, theirs),
    };
    if !fine {
        findings.add(place, format!("type {ours:?} instead of {theirs:?}"));
    }
}

fn words(
    ours: Option<&BTreeSet<String>>,
    theirs: Option<&BTreeSet<String>>,
    way: Way,
    place: &str,
    findings: &mut Findings,
) {
    let Some(theirs) = theirs else { return };
    let fine = match (way, ours) {
        (Way::In, None) => true,
        (Way::Out, None) => false,
        (Way::In, Some(ours)) => theirs.is_subset(ours),
        (Way::Out, Some(ours)) => ours.is_subset(theirs),
    };
    if !fine {
        findings.add(place, format!("words {ours:?} instead of {theirs:?}"));
    }
}

fn number(value: &Value) -> Value {
    value.as_f64().map_or_else(|| value.clone(), Value::from)
}
