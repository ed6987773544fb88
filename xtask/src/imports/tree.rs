//! Module tree of a library or binary: the names that each module declares, imports and mentions.

use std::collections::{BTreeMap, BTreeSet};

/// The first module is the root of the crate.
#[derive(Debug, Default)]
pub struct Tree {
    /// Paths of the files, from the root of the workspace.
    pub files: Vec<String>,
    pub modules: Vec<Module>,
    /// Files that define a `macro_rules!` macro of this name. Such macros are visible without an
    /// import.
    pub macros: BTreeMap<String, BTreeSet<usize>>,
}

#[derive(Debug, Default)]
pub struct Module {
    /// From the root of the crate, which has none.
    pub path: Vec<String>,
    pub file: usize,
    pub parent: usize,
    pub children: BTreeMap<String, usize>,
    /// Names of functions, types, constants and macros declared here.
    pub items: BTreeSet<String>,
    pub has_traits: bool,
    pub uses: Vec<Use>,
    pub mentions: Vec<Mention>,
}

/// One name, or all names, of a `use` declaration.
#[derive(Debug, Clone)]
pub struct Use {
    pub path: Vec<String>,
    /// None stands for `*`.
    pub name: Option<String>,
    pub is_reexport: bool,
    pub line: usize,
}

/// A path in the code.
#[derive(Debug, Clone)]
pub struct Mention {
    pub path: Vec<String>,
    pub kind: Kind,
    pub line: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A function or module that an attribute names in a string.
    Attribute,
    Call,
    Macro,
    Other,
}

impl Tree {
    pub fn add_module(&mut self, parent: usize, name: &str) -> usize {
        let number = self.modules.len();
        let path = [self.modules[parent].path.as_slice(), &[name.to_owned()]].concat();
        let file = self.modules[parent].file;
        self.modules.push(Module { path, file, parent, ..Module::default() });
        self.modules[parent].children.insert(name.to_owned(), number);
        number
    }
}

/// A declaration `mod name;`, or a word that a macro may have made one of.
pub struct Declared {
    pub parent: usize,
    pub name: String,
    pub by_macro: bool,
    /// Inline modules around it in the same file.
    pub inside: Vec<String>,
    /// Of a `#[path]` attribute.
    pub path: Option<String>,
}
