//! The receipt as it will be printed, the printing of it, and sending it by e-mail.

pub mod email;
pub mod update;
pub mod view;
