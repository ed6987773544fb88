//! Finds the file that defines an imported or mentioned name.

use std::collections::BTreeSet;

use super::graph::{Import, Imports};
use super::tree::{Kind, Mention, Tree, Use};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Definition {
    Module(usize),
    /// An item declared directly in this module.
    Item(usize),
}

/// Every import from one file of the tree to another, at its first place.
pub fn imports(tree: &Tree) -> Imports {
    let mut found = Imports::new();
    for (module, it) in tree.modules.iter().enumerate() {
        let mut add = |definitions: BTreeSet<Definition>, line: usize, path: &[String]| {
            for definition in definitions {
                if let Definition::Item(owner) = definition
                    && tree.modules[owner].file != it.file
                {
                    let import = Import { line, path: path.join("::") };
                    let first = found.entry((it.file, tree.modules[owner].file)).or_insert_with(|| import.clone());
                    *first = import.min(first.clone());
                }
            }
        };
        let resolver = Resolver { tree };
        for import in &it.uses {
            add(resolver.imported(module, import), import.line, &import.path);
        }
        for mention in &it.mentions {
            add(resolver.mentioned(module, mention), mention.line, &mention.path);
        }
    }
    found
}

struct Resolver<'a> {
    tree: &'a Tree,
}

/// Names being resolved, so that a declaration that names itself ends the search.
type Seen = BTreeSet<(usize, String)>;

impl Resolver<'_> {
    /// The import of a module counts when one of its names is mentioned. Traits behind a `*` count
    /// at once: their methods are used without their name.
    fn imported(&self, module: usize, import: &Use) -> BTreeSet<Definition> {
        let mut found = self.path(module, &import.path, &mut Seen::new());
        if import.name.is_none() {
            let with_traits = |definition: &Definition| match definition {
                Definition::Module(it) if self.tree.modules[*it].has_traits => Definition::Item(*it),
                other => *other,
            };
            found = found.iter().map(with_traits).collect();
        }
        if import.is_reexport {
            found.retain(|definition| !self.is_below(module, *definition));
        }
        found
    }

    fn is_below(&self, module: usize, definition: Definition) -> bool {
        let (Definition::Module(owner) | Definition::Item(owner)) = definition;
        self.tree.modules[owner].path.starts_with(&self.tree.modules[module].path)
    }

    fn mentioned(&self, module: usize, mention: &Mention) -> BTreeSet<Definition> {
        let [name] = mention.path.as_slice() else {
            let found = self.path(module, &mention.path, &mut Seen::new()).into_iter();
            return match mention.kind {
                Kind::Attribute => {
                    found.map(|(Definition::Module(it) | Definition::Item(it))| Definition::Item(it)).collect()
                }
                _ => found.collect(),
            };
        };
        // A single lower-case name that is not called is most often a variable.
        if mention.kind == Kind::Other && !name.starts_with(char::is_uppercase) {
            return BTreeSet::new();
        }
        let found = self.name(module, name, &mut Seen::new());
        match found.is_empty() && mention.kind == Kind::Macro {
            true => self.macro_without_import(name),
            false => found,
        }
    }

    /// Starts at the module that the first words name. Names of other crates are not found.
    fn path(&self, module: usize, path: &[String], seen: &mut Seen) -> BTreeSet<Definition> {
        let Some((first, mut rest)) = path.split_first() else { return BTreeSet::new() };
        let mut reached = match first.as_str() {
            "crate" => BTreeSet::from([Definition::Module(0)]),
            "self" => BTreeSet::from([Definition::Module(module)]),
            "super" => {
                let mut parent = self.tree.modules[module].parent;
                while let Some(("super", after)) = rest.split_first().map(|(first, after)| (first.as_str(), after)) {
                    parent = self.tree.modules[parent].parent;
                    rest = after;
                }
                BTreeSet::from([Definition::Module(parent)])
            }
            name => self.name(module, name, seen),
        };
        for name in rest {
            // A function may have the name of a module; nothing follows its name.
            if reached.iter().any(|definition| matches!(definition, Definition::Module(_))) {
                reached.retain(|definition| matches!(definition, Definition::Module(_)));
            }
            reached = reached.into_iter().flat_map(|definition| self.step(definition, name, seen)).collect();
        }
        reached
    }

    /// A name after an item is a variant or an associated item. A name that is not found in a
    /// module of ours is made by a macro there.
    fn step(&self, definition: Definition, name: &str, seen: &mut Seen) -> BTreeSet<Definition> {
        let Definition::Module(module) = definition else { return BTreeSet::from([definition]) };
        let found = self.name(module, name, seen);
        if !found.is_empty() || seen.contains(&(module, name.to_owned())) {
            return found;
        }
        let exported = if module == 0 { self.macro_without_import(name) } else { BTreeSet::new() };
        if exported.is_empty() { BTreeSet::from([Definition::Item(module)]) } else { exported }
    }

    fn name(&self, module: usize, name: &str, seen: &mut Seen) -> BTreeSet<Definition> {
        let it = &self.tree.modules[module];
        let mut found = BTreeSet::new();
        found.extend(it.children.get(name).map(|child| Definition::Module(*child)));
        found.extend(it.items.contains(name).then_some(Definition::Item(module)));
        if !seen.insert((module, name.to_owned())) {
            return found;
        }
        for import in it.uses.iter().filter(|import| import.name.as_deref() == Some(name)) {
            found.extend(self.path(module, &import.path, seen));
        }
        if found.is_empty() {
            for import in it.uses.iter().filter(|import| import.name.is_none()) {
                for definition in self.path(module, &import.path, &mut seen.clone()) {
                    if let Definition::Module(source) = definition {
                        found.extend(self.name(source, name, seen));
                    }
                }
            }
        }
        seen.remove(&(module, name.to_owned()));
        found
    }

    fn macro_without_import(&self, name: &str) -> BTreeSet<Definition> {
        let files = self.tree.macros.get(name).into_iter().flatten();
        let owner = |file: &usize| self.tree.modules.iter().position(|module| module.file == *file);
        files.filter_map(owner).map(Definition::Item).collect()
    }
}
