//! Colours by role, never by place.
//!
//! Invariant: nothing is told by colour alone; without colours bold is all there is.

use ratatui::style::{Color, Modifier, Style};

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Text.
    Plain,
    /// Beside the point.
    Dim,
    /// The point.
    Strong,
    /// The selected row.
    Selected,
    /// A key to press.
    Key,
    /// Money that is certain.
    Paid,
    /// Money that is accepted and not certain.
    Pending,
    /// Nobody knows.
    Unknown,
    /// No money, or something broken.
    Failed,
    /// Look here.
    Warn,
    /// Light and dark change places: seen without colours, too.
    Banner,
}

/// Colours or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    colours: bool,
}

impl Theme {
    /// The 16 colours of the terminal where `colours` are wanted and `no_color` (the variable NO_COLOR is set) does
    /// not forbid them; otherwise bold only.
    pub fn new(colours: bool, no_color: bool) -> Theme {
        Theme { colours: colours && !no_color }
    }

    /// The style of a role.
    pub fn style(self, role: Role) -> Style {
        let bold = Style::new().add_modifier(Modifier::BOLD);
        match (role, self.colours) {
            (Role::Plain | Role::Dim, false) | (Role::Plain, true) => Style::new(),
            (Role::Dim, true) => Style::new().fg(Color::DarkGray),
            (Role::Strong, _) => bold,
            (Role::Banner, _) => bold.add_modifier(Modifier::REVERSED),
            (
                Role::Selected | Role::Key | Role::Paid | Role::Pending | Role::Unknown | Role::Failed | Role::Warn,
                false,
            ) => bold,
            (Role::Selected, true) => bold.fg(Color::Cyan),
            (Role::Key, true) => Style::new().fg(Color::Cyan),
            (Role::Paid, true) => bold.fg(Color::Green),
            (Role::Pending, true) => bold.fg(Color::Yellow),
            (Role::Unknown, true) => bold.fg(Color::Magenta),
            (Role::Failed, true) => bold.fg(Color::Red),
            (Role::Warn, true) => bold.fg(Color::LightYellow),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_color_means_none() {
        for role in [Role::Dim, Role::Key, Role::Paid, Role::Pending, Role::Unknown, Role::Failed, Role::Warn] {
            let style = Theme::new(true, true).style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{role:?}");
        }
        assert_eq!(Theme::new(true, false).style(Role::Paid).fg, Some(Color::Green));
    }
}
