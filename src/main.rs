//! Hands over to a command.

use std::process::ExitCode;

fn main() -> ExitCode {
    tillroll::cli::main()
}
