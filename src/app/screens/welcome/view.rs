//! How the welcome page looks.
//!
//! Invariant: says three things that can be typed, and nothing that cannot be done yet.

use crate::app::view::{Body, Place, field_hints};
use crate::ui::page::Focus;
use crate::ui::row::Row;
use crate::ui::text::wrap;
use crate::ui::theme::Role;

/// The page.
pub fn body(place: Place<'_>) -> Body {
    let cells = place.main().saturating_sub(2);
    let mut rows = vec![Row::of(" This handheld is not enrolled yet.", Role::Strong)];
    let mut say = |text: &str, role| rows.extend(wrap(text, cells).into_iter().map(|t| Row::of(format!(" {t}"), role)));
    say("Try everything with simulated hardware:", Role::Plain);
    say("tillroll demo", Role::Key);
    say("Practise on this handheld alone:", Role::Plain);
    say("tillroll --training", Role::Key);
    say("Enrol it with the code from the office:", Role::Plain);
    say("tillroll enrol --office URL --code CODE", Role::Key);
    Body {
        title: vec!["TILLROLL".to_owned()],
        panes: vec![rows],
        focus: Focus::From(0),
        notes: Vec::new(),
        hints: field_hints(&[("Ctrl-C", "quit")]),
    }
}
