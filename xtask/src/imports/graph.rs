//! Imports as a graph of files, and the circles in it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The first import of one file by another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    pub line: usize,
    pub path: String,
}

/// Imports by the numbers of the importing and the defining file.
pub type Imports = BTreeMap<(usize, usize), Import>;

/// Sets of files that reach each other (strongly connected components with more than one file), by
/// Tarjan's algorithm.
pub fn circles(files: usize, imports: &Imports) -> Vec<BTreeSet<usize>> {
    let mut search = Search {
        next: vec![Vec::new(); files],
        number: vec![None; files],
        lowest: vec![0; files],
        stack: Vec::new(),
        count: 0,
        found: Vec::new(),
    };
    for (from, to) in imports.keys() {
        search.next[*from].push(*to);
    }
    for file in 0..files {
        if search.number[file].is_none() {
            search.visit(file);
        }
    }
    search.found
}

struct Search {
    next: Vec<Vec<usize>>,
    number: Vec<Option<usize>>,
    lowest: Vec<usize>,
    stack: Vec<usize>,
    count: usize,
    found: Vec<BTreeSet<usize>>,
}

impl Search {
    fn visit(&mut self, file: usize) {
        let number = self.count;
        self.count += 1;
        (self.number[file], self.lowest[file]) = (Some(number), number);
        self.stack.push(file);
        for next in self.next[file].clone() {
            match self.number[next] {
                None => {
                    self.visit(next);
                    self.lowest[file] = self.lowest[file].min(self.lowest[next]);
                }
                Some(other) if self.stack.contains(&next) => self.lowest[file] = self.lowest[file].min(other),
                Some(_) => {}
            }
        }
        if self.lowest[file] == number {
            let start = self.stack.iter().rposition(|other| *other == file).unwrap_or(0);
            let component: BTreeSet<usize> = self.stack.split_off(start).into_iter().collect();
            if component.len() > 1 {
                self.found.push(component);
            }
        }
    }
}

/// The files of the shortest way from a file back to itself inside the component.
pub fn shortest_circle(component: &BTreeSet<usize>, imports: &Imports) -> Vec<usize> {
    let ways = component.iter().filter_map(|start| way_back(*start, component, imports));
    ways.min_by_key(Vec::len).unwrap_or_default()
}

fn way_back(start: usize, component: &BTreeSet<usize>, imports: &Imports) -> Option<Vec<usize>> {
    let mut came_from = BTreeMap::new();
    let mut waiting = VecDeque::from([start]);
    while let Some(file) = waiting.pop_front() {
        for (_, next) in imports.range((file, 0)..=(file, usize::MAX)).map(|(edge, _)| *edge) {
            if next == start {
                let mut way = vec![file];
                while let Some(previous) = way.last().and_then(|last| came_from.get(last)) {
                    way.push(*previous);
                }
                way.reverse();
                return Some(way);
            }
            if component.contains(&next) && !came_from.contains_key(&next) {
                came_from.insert(next, file);
                waiting.push_back(next);
            }
        }
    }
    None
}
