//! The `portvakt` program.

use std::io;
use std::process::ExitCode;
use std::thread;

/// Stack of the program, in bytes, as Linux gives it. Windows gives its first thread 1 MiB, of which a build without
/// optimisation takes more for the tree of commands.
const STACK: usize = 8 << 20;

fn main() -> io::Result<ExitCode> {
    let program = thread::Builder::new()
        .name("main".to_owned())
        .stack_size(STACK)
        .spawn(portvakt::cli::main)?;
    // The panic is reported.
    Ok(program.join().unwrap_or(ExitCode::from(101)))
}
