//! The `portvakt` program.

fn main() {}
