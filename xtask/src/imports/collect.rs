//! Reads one parsed file into the module tree.

use proc_macro2::{TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Item, ItemUse, Meta, Token, UseTree, Visibility};

use super::tree::{Declared, Kind, Mention, Tree, Use};

/// Fills the module and the inline modules in it; returns the modules declared with files of their
/// own.
pub fn file(tree: &mut Tree, module: usize, syntax: &syn::File) -> Vec<Declared> {
    let mut collector = Collector { tree, module, inside: Vec::new(), declared: Vec::new() };
    collector.visit_file(syntax);
    collector.declared
}

struct Collector<'a> {
    tree: &'a mut Tree,
    module: usize,
    inside: Vec<String>,
    declared: Vec<Declared>,
}

impl Collector<'_> {
    fn declare(&mut self, name: &syn::Ident) {
        self.tree.modules[self.module].items.insert(name.to_string());
    }

    fn declare_module(&mut self, name: String, path: Option<String>, by_macro: bool) {
        let inside = self.inside.clone();
        self.declared.push(Declared { parent: self.module, name, by_macro, inside, path });
    }

    fn mention(&mut self, path: Vec<String>, kind: Kind, line: usize) {
        self.tree.modules[self.module].mentions.push(Mention { path, kind, line });
    }

    fn add_uses(&mut self, tree: &UseTree, before: &mut Vec<String>, is_reexport: bool) {
        let module = &mut self.tree.modules[self.module];
        let mut add = |path: Vec<String>, name: Option<String>, at: proc_macro2::Span| {
            module.uses.push(Use { path, name, is_reexport, line: at.start().line });
        };
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.add_uses(&path.tree, before, is_reexport);
                before.pop();
            }
            UseTree::Group(group) => group.items.iter().for_each(|item| self.add_uses(item, before, is_reexport)),
            UseTree::Glob(glob) => add(before.clone(), None, glob.star_token.spans[0]),
            UseTree::Name(name) if name.ident == "self" => {
                add(before.clone(), before.last().cloned(), name.ident.span())
            }
            UseTree::Name(name) => {
                let word = name.ident.to_string();
                let path = before.iter().cloned().chain([word.clone()]).collect();
                add(path, Some(word), name.ident.span());
            }
            UseTree::Rename(rename) => {
                let word = rename.ident.to_string();
                let word = (word != "self").then_some(word);
                let path = before.iter().cloned().chain(word).collect();
                add(path, Some(rename.rename.to_string()), rename.ident.span());
            }
        }
    }

    /// Paths in the arguments of a macro, which are not parsed. Names behind a dot are methods and
    /// fields.
    fn scan(&mut self, tokens: TokenStream, in_attribute: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let is = |at: usize, mark: char| matches!(tokens.get(at), Some(TokenTree::Punct(it)) if it.as_char() == mark);
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Group(group) => self.scan(group.stream(), in_attribute),
                TokenTree::Ident(first) => {
                    let is_member = at >= 2 && is(at - 2, '.') && !(at >= 3 && is(at - 3, '.'));
                    let mut path = vec![first.to_string()];
                    while is(at, ':')
                        && is(at + 1, ':')
                        && let Some(TokenTree::Ident(next)) = tokens.get(at + 2)
                    {
                        path.push(next.to_string());
                        at += 3;
                    }
                    let kind = match tokens.get(at) {
                        Some(TokenTree::Punct(mark)) if mark.as_char() == '!' => Kind::Macro,
                        Some(TokenTree::Group(_)) => Kind::Call,
                        _ => Kind::Other,
                    };
                    if !is_member {
                        self.mention(path, kind, first.span().start().line);
                    }
                }
                // `#[serde(with = "crate::time")]`
                TokenTree::Literal(literal) if in_attribute => {
                    let text = literal.to_string();
                    if let Ok(path) = syn::parse_str::<syn::Path>(text.trim_matches('"'))
                        && path.segments.len() > 1
                    {
                        self.mention(names(&path), Kind::Attribute, literal.span().start().line);
                    }
                }
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Collector<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_for_tests(attributes(item)) {
            return;
        }
        match item {
            Item::Const(it) => self.declare(&it.ident),
            Item::Enum(it) => self.declare(&it.ident),
            Item::Fn(it) => self.declare(&it.sig.ident),
            Item::Static(it) => self.declare(&it.ident),
            Item::Struct(it) => self.declare(&it.ident),
            Item::Trait(it) => {
                self.declare(&it.ident);
                self.tree.modules[self.module].has_traits = true;
            }
            Item::TraitAlias(it) => self.declare(&it.ident),
            Item::Type(it) => self.declare(&it.ident),
            Item::Union(it) => self.declare(&it.ident),
            Item::Macro(it) => {
                if let Some(name) = &it.ident {
                    self.declare(name);
                    let file = self.tree.modules[self.module].file;
                    self.tree.macros.entry(name.to_string()).or_default().insert(file);
                } else {
                    let words = it.mac.tokens.clone().into_iter();
                    let words =
                        words.filter_map(|token| matches!(token, TokenTree::Ident(_)).then(|| token.to_string()));
                    words.for_each(|word| self.declare_module(word, None, true));
                }
            }
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let name = item.ident.to_string();
        if item.content.is_none() {
            let path = item.attrs.iter().find_map(path_attribute);
            self.declare_module(name, path, false);
            return;
        }
        let module = self.tree.add_module(self.module, &name);
        let outer = std::mem::replace(&mut self.module, module);
        self.inside.push(name);
        visit::visit_item_mod(self, item);
        self.inside.pop();
        self.module = outer;
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let is_reexport = match &item.vis {
            Visibility::Inherited => false,
            Visibility::Restricted(it) => !it.path.is_ident("self"),
            Visibility::Public(_) => true,
        };
        // A leading `::` names another crate.
        if item.leading_colon.is_none() {
            self.add_uses(&item.tree, &mut Vec::new(), is_reexport);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        let attributes = match item {
            syn::ImplItem::Const(it) => &it.attrs,
            syn::ImplItem::Fn(it) => &it.attrs,
            syn::ImplItem::Type(it) => &it.attrs,
            _ => &Vec::new(),
        };
        if !is_for_tests(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let Expr::Path(function) = &*call.func
            && let Some(name) = function.path.get_ident()
        {
            self.mention(vec![name.to_string()], Kind::Call, name.span().start().line);
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            self.mention(names(path), Kind::Other, line(path));
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.mention(names(&call.path), Kind::Macro, line(&call.path));
        self.scan(call.tokens.clone(), false);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.scan(list.tokens.clone(), true);
        }
    }

    /// `pub(in a::b)` is no import.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

fn names(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

fn line(path: &syn::Path) -> usize {
    path.segments.first().map_or(0, |segment| segment.ident.span().start().line)
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(it) => &it.attrs,
        Item::Enum(it) => &it.attrs,
        Item::Fn(it) => &it.attrs,
        Item::Impl(it) => &it.attrs,
        Item::Macro(it) => &it.attrs,
        Item::Mod(it) => &it.attrs,
        Item::Static(it) => &it.attrs,
        Item::Struct(it) => &it.attrs,
        Item::Trait(it) => &it.attrs,
        Item::Type(it) => &it.attrs,
        Item::Use(it) => &it.attrs,
        _ => &[],
    }
}

/// `#[test]`, `#[cfg(test)]` and `#[cfg(all(test, …))]`, but not `#[cfg(any(test, …))]`, which
/// holds for other builds too.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("cfg") => {
            list.parse_args().is_ok_and(|condition| needs_test(&condition))
        }
        _ => false,
    })
}

fn needs_test(condition: &Meta) -> bool {
    match condition {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("all") => {
            let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
            parts.is_ok_and(|parts| parts.iter().any(needs_test))
        }
        _ => false,
    }
}

fn path_attribute(attribute: &Attribute) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}
