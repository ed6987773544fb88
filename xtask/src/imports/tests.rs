use super::*;

/// Files with an import circle among the given sources, as sorted names without `src/` and `.rs`.
fn circles(sources: &[(&str, &str)]) -> Vec<Vec<String>> {
    let (tree, imports) = parsed(sources);
    let name = |file: usize| tree.files[file].trim_start_matches("src/").trim_end_matches(".rs").to_owned();
    let components = graph::circles(tree.files.len(), &imports);
    let mut found: Vec<Vec<String>> = components
        .iter()
        .map(|component| {
            let mut names: Vec<String> = component.iter().map(|file| name(*file)).collect();
            names.sort();
            names
        })
        .collect();
    found.sort();
    found
}

fn parsed(sources: &[(&str, &str)]) -> (Tree, Imports) {
    let read = |path: &str| {
        sources.iter().find(|(name, _)| format!("src/{name}.rs") == path).map(|(_, text)| (*text).to_owned())
    };
    let tree = parse::parse("src/lib.rs", &read).unwrap();
    let imports = resolve::imports(&tree);
    (tree, imports)
}

#[test]
fn two_files_that_import_each_other_are_a_circle() {
    let sources = [
        ("lib", "mod a; mod b; mod c;"),
        ("a", "use crate::b::B; pub struct A;"),
        ("b", "use super::a::A; pub struct B;"),
        ("c", "use crate::{a::A, b::B};"),
    ];
    assert_eq!(circles(&sources), [["a", "b"]]);
}

#[test]
fn reexported_name_counts_as_import_of_the_defining_file() {
    let sources = [
        ("lib", "mod a; mod b; pub use a::A; pub(crate) use b::*;"),
        ("a", "use crate::B; pub struct A;"),
        ("b", "pub struct B(super::A);"),
    ];
    assert_eq!(circles(&sources), [["a", "b"]]);
}

#[test]
fn file_that_only_declares_and_reexports_is_in_no_circle() {
    let sources = [
        ("lib", "mod a;"),
        ("a/mod", "mod x; mod y; pub use x::X; pub use y::{Y as Why};"),
        ("a/x", "use super::Why; pub struct X;"),
        ("a/y", "pub struct Y;"),
    ];
    assert_eq!(circles(&sources), [[""; 0]; 0]);
}

#[test]
fn parent_with_code_of_its_own_and_its_child_are_a_circle() {
    let private = [
        ("lib", "mod a;"),
        ("a/mod", "mod x; use x::X; pub struct Shared; fn f(_: X) {}"),
        ("a/x", "use super::Shared; pub struct X;"),
    ];
    assert_eq!(circles(&private), [["a/mod", "a/x"]]);
    let reexported = [
        ("lib", "mod a;"),
        ("a", "mod x; pub use x::X; pub struct Shared; fn f(_: X) {}"),
        ("a/x", "use super::Shared; pub struct X;"),
    ];
    assert_eq!(circles(&reexported), [["a", "a/x"]]);
}

#[test]
fn paths_in_the_code_count_without_a_use() {
    for call in ["crate::b::f()", "super::b::f()", "b::f()", "println!(\"{}\", 1 + b::f())", "b::m!()"] {
        let code = format!("use crate::b; pub fn g() {{ {call}; }}");
        let sources = [
            ("lib", "mod a; mod b;"),
            ("a", code.as_str()),
            ("b", "pub fn f() { crate::a::g() }\nmacro_rules! m { () => {} } pub(crate) use m;"),
        ];
        assert_eq!(circles(&sources), [["a", "b"]], "{call}");
    }
}

#[test]
fn module_and_function_of_one_name_are_distinguished() {
    let sources = [
        ("lib", "mod a; mod b;"),
        ("a/mod", "mod step; pub use step::f; pub fn step() {}"),
        ("a/step", "pub fn f() {}"),
        ("b", "use crate::a::f; pub fn g() {}"),
    ];
    let (tree, imports) = parsed(&sources);
    let edges: Vec<_> = imports.keys().map(|(from, to)| (&*tree.files[*from], &*tree.files[*to])).collect();
    assert_eq!(edges, [("src/b.rs", "src/a/step.rs")]);
}

#[test]
fn import_of_a_module_alone_is_none_of_its_names() {
    let sources = [
        ("lib", "mod a; mod b;"),
        ("a/mod", "mod x; pub use x::f; use crate::b::g;"),
        ("a/x", "pub fn f() {}"),
        ("b", "use crate::a; pub fn g() { a::f() }"),
    ];
    assert_eq!(circles(&sources), [[""; 0]; 0]);
}

#[test]
fn names_behind_a_star_are_followed() {
    let sources = [
        ("lib", "mod a; mod b; mod c; pub use b::*;"),
        ("a", "use super::*; pub struct A(B); fn f() { g() }"),
        ("b", "pub struct B;"),
        ("c", "use crate::a::A; pub fn g() {}"),
    ];
    assert_eq!(circles(&sources), [[""; 0]; 0], "g is not reexported");
    let sources = [("lib", "mod a; mod c; use c::*;"), sources[1], ("c", "use crate::a::A; pub fn g() {}")];
    assert_eq!(circles(&sources), [["a", "c"]]);
}

#[test]
fn traits_behind_a_star_are_used_without_their_name() {
    let sources = [
        ("lib", "mod a; mod b;"),
        ("a", "use crate::b::*; pub struct A;"),
        ("b", "pub trait T {} impl T for crate::a::A {}"),
    ];
    assert_eq!(circles(&sources), [["a", "b"]]);
}

#[test]
fn code_for_tests_is_left_out() {
    let sources = [
        ("lib", "mod a; mod b;"),
        (
            "a",
            "pub fn f() {} #[cfg(test)] use crate::b::g; #[cfg(test)] mod tests { use crate::b::g; } #[test] fn t() { crate::b::g() }",
        ),
        ("b", "pub fn g() { crate::a::f() }"),
    ];
    assert_eq!(circles(&sources), [[""; 0]; 0]);
    let sources = [sources[0], ("a", "pub fn f() {} #[cfg(any(test, windows))] use crate::b::g;"), sources[2]];
    assert_eq!(circles(&sources), [["a", "b"]]);
}

#[test]
fn paths_in_attributes_count() {
    let sources = [
        ("lib", "mod a; mod b;"),
        ("a", "#[derive(Clone)] pub struct A { #[serde(with = \"crate::b::micros\")] x: u8 }"),
        ("b", "pub mod micros { pub fn f(_: crate::a::A) {} }"),
    ];
    assert_eq!(circles(&sources), [["a", "b"]]);
}

#[test]
fn macros_are_found_where_they_are_defined() {
    let sources = [
        ("lib", "#[macro_use] mod a; mod b;"),
        ("a", "macro_rules! m { () => { $crate::b::f() } }"),
        ("b", "pub fn f() { m!() }"),
    ];
    assert_eq!(circles(&sources), [["a", "b"]]);
}

#[test]
fn modules_declared_by_a_macro_are_read() {
    let sources = [
        ("lib", "mod db; macro_rules! resources { ($($name:ident),*) => { $(pub mod $name;)* } } resources! { a, b }"),
        ("a", "pub fn f() { crate::db::g() }"),
        ("db", "pub fn g() { crate::a::f() }"),
    ];
    assert_eq!(circles(&sources), [["a", "db"]]);
}

#[test]
fn other_crates_and_names_of_variables_are_no_imports() {
    let sources = [
        ("lib", "mod a; mod serde;"),
        (
            "a",
            "use ::serde::X; use std::fmt; use crate::serde::*; pub fn f(g: u8) -> u8 { let h = g; fmt::x(h, a.g()) }",
        ),
        ("serde", "pub fn g() { crate::a::f(1); } pub fn h() {}"),
    ];
    assert_eq!(circles(&sources), [[""; 0]; 0]);
}

#[test]
fn shortest_circle_is_described_with_places() {
    let sources = [
        ("lib", "mod a; mod b; mod c;"),
        ("a", "\nuse crate::b::B; pub struct A;"),
        ("b", "use crate::c::C; use crate::a::A; pub struct B;"),
        ("c", "use crate::a::A; pub struct C;"),
    ];
    let (tree, imports) = parsed(&sources);
    let components = graph::circles(tree.files.len(), &imports);
    let text = describe(&tree, &imports, &components[0]);
    assert!(text.contains("3 files import each other"), "{text}");
    assert!(text.contains("src/a.rs:2 imports crate::b::B from src/b.rs"), "{text}");
    assert!(text.contains("src/b.rs:1 imports crate::a::A from src/a.rs"), "{text}");
    assert!(text.contains("src/c.rs:1 crate::a::A (src/a.rs)"), "{text}");
}
