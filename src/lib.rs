//! tillroll.
