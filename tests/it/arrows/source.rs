//! Modules of a source tree and references in their code.
//!
//! Comments and strings are ignored, and so is code that is compiled only for tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, Ident, Item, Token, UseTree};

/// Names from a crate down to a module or an item, the crate's own first.
pub(super) type Names = Vec<String>;

/// A reference from code to something in a crate of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) line: usize,
    pub(super) target: Names,
}

/// A module with a file of its own.
#[derive(Debug, Default)]
pub(super) struct Module {
    /// The path of the file, as a message shows it.
    pub(super) file: String,
    pub(super) references: Vec<Reference>,
    /// The target of each name that a `use` brings in.
    imports: BTreeMap<String, Names>,
}

/// All modules of some crates.
#[derive(Debug, Default)]
pub(super) struct Sources {
    pub(super) modules: BTreeMap<Names, Module>,
}

impl Sources {
    /// Reads the crates with these names, each from its folder of sources below `root`.
    pub(super) fn read(root: &Path, crates: &[(&str, &str)]) -> Self {
        let mut files = Vec::new();
        for (name, folder) in crates {
            for path in rust_files(&root.join(folder)) {
                let below = path.strip_prefix(root.join(folder)).unwrap();
                let names = module_names(name, below);
                let shown = path.strip_prefix(root).unwrap().display().to_string();
                files.push((names, shown, fs::read_to_string(&path).unwrap()));
            }
        }
        let known: Vec<_> = crates.iter().map(|(name, _)| *name).collect();
        Self::parse(&known, files)
    }

    /// The modules with these names, file names and texts.
    pub(super) fn parse(crates: &[&str], files: Vec<(Names, String, String)>) -> Self {
        let files: Vec<_> = files
            .into_iter()
            .map(|(names, file, text)| {
                let parsed = syn::parse_file(&text);
                let parsed = parsed.unwrap_or_else(|error| panic!("{file}: {error}"));
                (names, file, parsed)
            })
            .collect();
        let tests: Vec<Names> = files
            .iter()
            .flat_map(|(names, _, parsed)| test_modules(names, &parsed.items))
            .collect();
        let is_code = |names: &Names| !tests.iter().any(|test| names.starts_with(test));
        let files: Vec<_> = files.into_iter().filter(|(names, ..)| is_code(names)).collect();
        let paths: BTreeSet<Names> = files.iter().map(|(names, ..)| names.clone()).collect();
        let modules = files.into_iter().map(|(names, file, parsed)| {
            let mut reader = Reader {
                crates,
                paths: &paths,
                module: names.clone(),
                references: Vec::new(),
                imports: BTreeMap::new(),
            };
            reader.read_imports(&parsed.items);
            reader.visit_file(&parsed);
            let Reader { references, imports, .. } = reader;
            (names, Module { file, references, imports })
        });
        Self { modules: modules.collect() }
    }

    /// The module with a file that defines the target of a reference. Imports on the way are followed.
    pub(super) fn home(&self, target: &[String]) -> Option<&Names> {
        const MOST_IMPORTS: usize = 16;
        let mut target = target.to_vec();
        for _ in 0..MOST_IMPORTS {
            let length = (1..=target.len()).rev();
            let mut prefixes = length.filter_map(|length| target.get(..length));
            let (names, module) = prefixes.find_map(|prefix| self.modules.get_key_value(prefix))?;
            let rest = &target[names.len()..];
            match rest.split_first().and_then(|(first, rest)| {
                module.imports.get(first).map(|import| [import.as_slice(), rest].concat())
            }) {
                Some(next) => target = next,
                None => return Some(names),
            }
        }
        None
    }
}

/// The Rust files below a folder, in order.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let files = entries.into_iter().flat_map(|path| match path.is_dir() {
        true => rust_files(&path),
        false => vec![path],
    });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The names of a file's module. A binary's `main.rs` counts as a module of the library.
fn module_names(name: &str, file: &Path) -> Names {
    let file = file.with_extension("");
    let parts = file.iter().map(|part| part.to_str().unwrap().to_owned());
    let parts = parts.filter(|part| !matches!(part.as_str(), "lib" | "mod"));
    [name.to_owned()].into_iter().chain(parts).collect()
}

/// The modules with files of their own that are compiled only for tests.
fn test_modules(parent: &Names, items: &[Item]) -> Vec<Names> {
    let of_tests = items.iter().filter_map(|item| match item {
        Item::Mod(module) if is_test(&module.attrs) => {
            Some([parent.as_slice(), &[module.ident.to_string()]].concat())
        }
        _ => None,
    });
    of_tests.collect()
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let is_cfg_test = attribute.path().is_ident("cfg")
            && attribute.parse_args::<Ident>().is_ok_and(|condition| condition == "test");
        is_cfg_test || attribute.path().segments.last().is_some_and(|last| last.ident == "test")
    })
}

/// Collects the references of one file.
struct Reader<'a> {
    crates: &'a [&'a str],
    paths: &'a BTreeSet<Names>,
    module: Names,
    references: Vec<Reference>,
    imports: BTreeMap<String, Names>,
}

impl Reader<'_> {
    fn read_imports(&mut self, items: &[Item]) {
        for item in items {
            let Item::Use(import) = item else { continue };
            if is_test(&import.attrs) {
                continue;
            }
            for (path, name) in leaves(&import.tree) {
                let path: Vec<_> = path.iter().map(ToString::to_string).collect();
                if let (Some(name), Some(target)) =
                    (name, self.absolute(&path, import.leading_colon.is_some()))
                {
                    self.imports.insert(name.to_string(), target);
                }
            }
        }
    }

    fn refer(&mut self, path: &[Ident], is_global: bool) {
        let names: Vec<_> = path.iter().map(ToString::to_string).collect();
        if let (Some(target), Some(first)) = (self.absolute(&names, is_global), path.first()) {
            self.references.push(Reference { line: first.span().start().line, target });
        }
    }

    /// The full names of a path, if it refers to a crate of the workspace by itself.
    fn absolute(&self, path: &[String], is_global: bool) -> Option<Names> {
        let (first, rest) = path.split_first()?;
        let child = || [self.module.as_slice(), std::slice::from_ref(first)].concat();
        match first.as_str() {
            "crate" => Some([&self.module[..1], rest].concat()),
            "self" => Some([self.module.as_slice(), rest].concat()),
            "super" => {
                let ups = 1 + rest.iter().take_while(|name| *name == "super").count();
                let parent = self.module.get(..self.module.len().saturating_sub(ups))?;
                Some([parent, &rest[ups - 1..]].concat())
            }
            _ if !is_global && self.imports.contains_key(first) => None,
            _ if !is_global && self.paths.contains(&child()) => {
                Some([child().as_slice(), rest].concat())
            }
            name if self.crates.contains(&name) => Some(path.to_vec()),
            _ => None,
        }
    }

    /// Paths in the arguments of macros, which are tokens and not yet syntax.
    fn read_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<Ident> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.end_path(&mut path);
                    }
                    path.push(ident);
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.end_path(&mut path);
                    self.read_tokens(group.stream());
                    colons = 0;
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    self.end_path(&mut path);
                    colons = 0;
                }
            }
        }
        self.end_path(&mut path);
    }

    fn end_path(&mut self, path: &mut Vec<Ident>) {
        if path.len() > 1 {
            self.refer(path, false);
        }
        path.clear();
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Const(item) => &item.attrs,
            Item::Enum(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Macro(item) => &item.attrs,
            Item::Mod(item) => &item.attrs,
            Item::Static(item) => &item.attrs,
            Item::Struct(item) => &item.attrs,
            Item::Trait(item) => &item.attrs,
            Item::Type(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !is_test(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !is_test(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        self.module.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.module.pop();
    }

    fn visit_item_use(&mut self, import: &'ast syn::ItemUse) {
        for (path, _) in leaves(&import.tree) {
            self.refer(&path, import.leading_colon.is_some());
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let idents: Vec<_> = path.segments.iter().map(|segment| segment.ident.clone()).collect();
        if idents.len() > 1 {
            self.refer(&idents, path.leading_colon.is_some());
        }
        visit::visit_path(self, path);
    }

    /// A visibility names the module itself or one above it, and is not a use.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        self.read_tokens(call.tokens.clone());
    }
}

/// The paths in a `use`, each with the name that it imports; none for a glob.
fn leaves(tree: &UseTree) -> Vec<(Vec<Ident>, Option<Ident>)> {
    let below = |ident: &Ident, trees: Vec<(Vec<Ident>, Option<Ident>)>| {
        let lengthen = |(path, name): (Vec<Ident>, _)| {
            let is_self = path.len() == 1 && path[0] == "self";
            let rest = if is_self { Vec::new() } else { path };
            let name = if is_self { Some(ident.clone()) } else { name };
            ([vec![ident.clone()], rest].concat(), name)
        };
        trees.into_iter().map(lengthen).collect()
    };
    match tree {
        UseTree::Path(path) => below(&path.ident, leaves(&path.tree)),
        UseTree::Name(name) => vec![(vec![name.ident.clone()], Some(name.ident.clone()))],
        UseTree::Rename(rename) => vec![(vec![rename.ident.clone()], Some(rename.rename.clone()))],
        UseTree::Glob(_) => vec![(Vec::new(), None)],
        UseTree::Group(group) => {
            let trees: &Punctuated<UseTree, Token![,]> = &group.items;
            trees.iter().flat_map(leaves).collect()
        }
    }
}
