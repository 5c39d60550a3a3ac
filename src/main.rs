//! Hands over to a command.
fn main() {}
