//! People at the office's pages: passwords by Argon2id, roles, sessions.
//!
//! Invariant: a password is never stored, a session's token only as its SHA-256. There is no built-in user.
//! Start at [`add_user`] and [`open_session`].

use crate::domain::decision::Action;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

/// How long a session lasts, milliseconds: a working day.
pub const SESSION_MS: i64 = 12 * 60 * 60 * 1_000;
/// The longest user name, characters.
pub const NAME_MAX_CHARS: usize = 60;
/// The longest password, bytes: hashing more would only help somebody who wants the office busy.
pub const PASSWORD_MAX_BYTES: usize = 512;
/// What a password that a person chooses must have, characters. The demo's is shorter and only for the demo.
pub const PASSWORD_MIN_CHARS: usize = 10;

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Plans the day, approves visits, deals with exceptions.
    Dispatcher,
    /// Approves visits.
    Reviewer,
    /// Reads money, writes it off, changes nothing else.
    Accountant,
    /// May do everything.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 4] = [Role::Dispatcher, Role::Reviewer, Role::Accountant, Role::Admin];

    /// The name on the command line and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Role::Dispatcher => "dispatcher",
            Role::Reviewer => "reviewer",
            Role::Accountant => "accountant",
            Role::Admin => "admin",
        }
    }

    /// May approve a finished visit.
    pub fn may_approve(self) -> bool {
        match self {
            Role::Dispatcher | Role::Reviewer | Role::Admin => true,
            Role::Accountant => false,
        }
    }

    /// May resolve exceptions and release held payments.
    pub fn may_decide(self) -> bool {
        match self {
            Role::Dispatcher | Role::Admin => true,
            Role::Reviewer | Role::Accountant => false,
        }
    }
}

impl Role {
    /// May give money up.
    pub fn may_write_off(self) -> bool {
        match self {
            Role::Dispatcher | Role::Accountant | Role::Admin => true,
            Role::Reviewer => false,
        }
    }

    /// May do this about an exception.
    pub fn may(self, action: Action) -> bool {
        match action {
            Action::WriteOff => self.may_write_off(),
            Action::Recollect
            | Action::Invoice
            | Action::PaymentLink
            | Action::Release
            | Action::Void
            | Action::Wait
            | Action::RepeatNow
            | Action::AtProcessor
            | Action::NotAtProcessor
            | Action::Refund
            | Action::Note => self.may_decide(),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Role {
    type Err = UserError;

    fn from_str(text: &str) -> Result<Self, UserError> {
        Role::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| UserError::BadRole(text.to_owned()))
    }
}

/// What users and sessions refuse.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// No such role.
    #[error("{0:?} is not a role: name one of dispatcher, reviewer, accountant, admin")]
    BadRole(String),
    /// Not a name.
    #[error("a user's name is 1 to {NAME_MAX_CHARS} letters, digits, dots, dashes or underscores")]
    BadName,
    /// Taken.
    #[error("there is a user {0:?} already: choose another name")]
    Exists(String),
    /// Empty or too long.
    #[error("a password is 1 to {PASSWORD_MAX_BYTES} bytes")]
    BadPassword,
    /// Too short for a person's choice.
    #[error("a password has at least {PASSWORD_MIN_CHARS} characters: choose a longer one")]
    ShortPassword,
    /// Argon2 or the system's randomness.
    #[error("the password cannot be hashed: {0}")]
    Hash(String),
    /// The database.
    #[error("the office's database: {0}")]
    Database(#[from] rusqlite::Error),
}

impl UserError {
    /// The same input is never taken; the system or the database may do better later.
    pub fn is_permanent(&self) -> bool {
        match self {
            UserError::BadRole(_)
            | UserError::BadName
            | UserError::Exists(_)
            | UserError::BadPassword
            | UserError::ShortPassword => true,
            UserError::Hash(_) | UserError::Database(_) => false,
        }
    }
}

/// Refuses a password that a person should not choose.
///
/// # Errors
/// [`UserError::ShortPassword`].
pub fn check_choice(password: &str) -> Result<(), UserError> {
    if password.chars().count() < PASSWORD_MIN_CHARS { Err(UserError::ShortPassword) } else { Ok(()) }
}

/// Adds a user.
///
/// # Errors
/// A name that is none or taken, an empty password, or the database.
pub fn add_user(db: &Connection, name: &str, role: Role, password: &str) -> Result<(), UserError> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    if name.is_empty() || name.chars().count() > NAME_MAX_CHARS || !name.chars().all(plain) {
        return Err(UserError::BadName);
    }
    if password.is_empty() || password.len() > PASSWORD_MAX_BYTES {
        return Err(UserError::BadPassword);
    }
    let hash = hash(password)?;
    let sql = "INSERT INTO user (name, password, role) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO NOTHING";
    match db.execute(sql, params![name, hash, role.name()])? {
        0 => Err(UserError::Exists(name.to_owned())),
        _ => Ok(()),
    }
}

fn hash(password: &str) -> Result<String, UserError> {
    let hashed: PasswordHash =
        Argon2::default().hash_password(password.as_bytes()).map_err(|why| UserError::Hash(why.to_string()))?;
    Ok(hashed.to_string())
}

/// The stored hash of a user, none when there is no such user. Hand it to [`password_fits`] either way.
///
/// # Errors
/// The database's.
pub fn stored_hash(db: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT password FROM user WHERE name = ?1")?.query_row([name], |row| row.get(0)).optional()
}

/// Whether the password is the user's. Works as long for a user that does not exist, so that names cannot be told
/// apart by the clock. Takes tens of milliseconds of one core: not for an async thread.
pub fn password_fits(stored: Option<&str>, password: &str) -> bool {
    static NOBODY: OnceLock<Option<String>> = OnceLock::new();
    let nobody = NOBODY.get_or_init(|| hash("nobody").ok());
    let Some(against) = stored.or(nobody.as_deref()) else { return false };
    let Ok(parsed) = PasswordHash::new(against) else { return false };
    let short = password.get(..PASSWORD_MAX_BYTES.min(password.len())).unwrap_or("");
    let fits = Argon2::default().verify_password(short.as_bytes(), &parsed).is_ok();
    fits && stored.is_some() && short.len() == password.len()
}

/// Somebody who has logged in.
#[derive(Clone, PartialEq, Eq)]
pub struct Visitor {
    /// The user's name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// What their forms must carry.
    pub csrf: String,
}

impl fmt::Debug for Visitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visitor").field("name", &self.name).field("role", &self.role).field("csrf", &"***").finish()
    }
}

impl Visitor {
    /// Whether a form's token is this session's; takes as long for a wrong one.
    pub fn csrf_fits(&self, token: &str) -> bool {
        Sha256::digest(token.as_bytes()) == Sha256::digest(self.csrf.as_bytes())
    }
}

/// Opens a session for a user whose password was right, and clears away sessions that are over. The answer is the
/// token for the cookie: 64 hex digits that exist nowhere else.
///
/// # Errors
/// The system's randomness or the database.
pub fn open_session(db: &Connection, user: &str, now_ms: i64) -> Result<String, UserError> {
    let (token, csrf) = (random_hex()?, random_hex()?);
    db.execute("DELETE FROM session WHERE expires_ms <= ?1", [now_ms])?;
    db.execute(
        "INSERT INTO session (token_sha256, user, csrf, expires_ms) VALUES (?1, ?2, ?3, ?4)",
        params![sha256_hex(&token), user, csrf, now_ms.saturating_add(SESSION_MS)],
    )?;
    Ok(token)
}

/// Who a token belongs to; nobody when it is unknown or over.
///
/// # Errors
/// The database's.
pub fn visitor(db: &Connection, token: &str, now_ms: i64) -> Result<Option<Visitor>, UserError> {
    let sql = "SELECT u.name, u.role, s.csrf FROM session s JOIN user u ON u.name = s.user
         WHERE s.token_sha256 = ?1 AND s.expires_ms > ?2";
    let found: Option<(String, String, String)> = db
        .prepare_cached(sql)?
        .query_row(params![sha256_hex(token), now_ms], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    found.map(|(name, role, csrf)| Ok(Visitor { name, role: role.parse()?, csrf })).transpose()
}

/// Ends a session.
///
/// # Errors
/// The database's.
pub fn end_session(db: &Connection, token: &str) -> rusqlite::Result<()> {
    db.execute("DELETE FROM session WHERE token_sha256 = ?1", [sha256_hex(token)]).map(|_| ())
}

fn random_hex() -> Result<String, UserError> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|why| UserError::Hash(why.to_string()))?;
    Ok(hex::encode(bytes))
}

fn sha256_hex(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn office() -> Connection {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(include_str!("../../migrations/office/0001_base.sql")).unwrap();
        db
    }

    #[test]
    fn a_password_fits_its_user_and_nobody_else() {
        let db = office();
        add_user(&db, "dispatcher", Role::Dispatcher, "demo").unwrap();
        let stored = stored_hash(&db, "dispatcher").unwrap();
        assert!(stored.as_deref().unwrap().starts_with("$argon2id$"));
        assert!(password_fits(stored.as_deref(), "demo"));
        for wrong in ["", "Demo", "demo ", "nobody"] {
            assert!(!password_fits(stored.as_deref(), wrong), "{wrong}");
        }
        assert!(!password_fits(stored_hash(&db, "nobody").unwrap().as_deref(), "nobody"));
    }

    #[test]
    fn names_are_plain_and_taken_once() {
        let db = office();
        for name in ["", "a b", "<b>", &"x".repeat(61)] {
            assert!(matches!(add_user(&db, name, Role::Admin, "x"), Err(UserError::BadName)), "{name}");
        }
        add_user(&db, "jo", Role::Admin, "x").unwrap();
        assert!(matches!(add_user(&db, "jo", Role::Reviewer, "y"), Err(UserError::Exists(_))));
        assert!(matches!(add_user(&db, "al", Role::Reviewer, ""), Err(UserError::BadPassword)));
        assert!(check_choice("123456789").is_err() && check_choice("1234567890").is_ok());
    }

    #[test]
    fn a_session_lasts_twelve_hours_and_ends_on_request() {
        let db = office();
        add_user(&db, "jo", Role::Reviewer, "x").unwrap();
        let token = open_session(&db, "jo", 1_000).unwrap();
        let visitor_at = |now_ms| visitor(&db, &token, now_ms).unwrap();
        let jo = visitor_at(1_000 + SESSION_MS - 1).unwrap();
        assert_eq!((jo.name.as_str(), jo.role), ("jo", Role::Reviewer));
        assert!(jo.csrf_fits(&jo.csrf) && !jo.csrf_fits("") && !format!("{jo:?}").contains(&jo.csrf));
        assert!(visitor_at(1_000 + SESSION_MS).is_none());
        let stored: String = db.query_row("SELECT token_sha256 FROM session", [], |row| row.get(0)).unwrap();
        assert_ne!(stored, token);
        end_session(&db, &token).unwrap();
        assert!(visitor_at(1_001).is_none());
    }
}
