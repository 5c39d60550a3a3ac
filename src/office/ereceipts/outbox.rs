//! Where messages go: a folder that something else empties, or a command that takes one on its standard input.
//!
//! Invariant: a message counts as handed over when it is on the disk under its whole name, or when the command said so.
//! The same message gets the same name and the same id, however often it is handed over.

use super::mail::Mail;
use crate::domain::email::EmailAddress;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a command may take.
const COMMAND_TIME: Duration = Duration::from_secs(60);
/// How often a command is looked at while it runs.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Where messages go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbox {
    /// Who sends them.
    pub from: EmailAddress,
    /// How.
    pub way: Way,
}

/// How messages go out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// As files `ID.eml` in this folder, each put there whole.
    Folder(PathBuf),
    /// To the standard input of this program, with these arguments; no shell in between.
    Command(String, Vec<String>),
}

/// Why a message was not handed over.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// The folder.
    #[error("the outbox {0} cannot be written: {1}; make the folder, or name another with --outbox")]
    Folder(PathBuf, std::io::Error),
    /// The command cannot be run.
    #[error("the mail command {0:?} cannot be run: {1}; check --mail-command")]
    Command(String, std::io::Error),
    /// The command said no.
    #[error("the mail command {0:?} ended with {1}: look at its own log")]
    Refused(String, std::process::ExitStatus),
    /// The command hangs.
    #[error("the mail command {0:?} took longer than {n} s and was ended: look at its own log", n = COMMAND_TIME.as_secs())]
    Hangs(String),
}

impl OutboxError {
    /// Somebody may mend each of them.
    pub fn is_permanent(&self) -> bool {
        false
    }
}

impl Outbox {
    /// Hands a message over.
    pub fn hand_over(&self, mail: &Mail) -> Result<(), OutboxError> {
        let message = mail.message(&self.from);
        match &self.way {
            Way::Folder(folder) => {
                put(folder, &mail.id, &message).map_err(|why| OutboxError::Folder(folder.clone(), why))
            }
            Way::Command(program, arguments) => run(program, arguments, &message.replace("\r\n", "\n")),
        }
    }
}

fn put(folder: &Path, id: &str, message: &str) -> std::io::Result<()> {
    let draft = folder.join(format!(".{id}.new"));
    let mut file = std::fs::File::create(&draft)?;
    file.write_all(message.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&draft, folder.join(format!("{id}.eml")))?;
    std::fs::File::open(folder)?.sync_all()
}

fn run(program: &str, arguments: &[String], message: &str) -> Result<(), OutboxError> {
    let cannot = |why| OutboxError::Command(program.to_owned(), why);
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(cannot)?;
    // Written beside, so that a command that reads nothing is ended in time.
    let input = child.stdin.take();
    let bytes = message.as_bytes().to_vec();
    let writer = std::thread::spawn(move || input.map_or(Ok(()), |mut input| input.write_all(&bytes)));
    let until = Instant::now() + COMMAND_TIME;
    let status = loop {
        match child.try_wait().map_err(cannot)? {
            Some(status) => break status,
            None if Instant::now() < until => std::thread::sleep(LOOK_EVERY),
            None => {
                child.kill().and_then(|()| child.wait()).map_err(cannot)?;
                return Err(OutboxError::Hangs(program.to_owned()));
            }
        }
    };
    let written = writer.join().unwrap_or_else(|_| Err(std::io::Error::other("the writer failed")));
    match (status.success(), written) {
        (true, Ok(())) => Ok(()),
        (true, Err(why)) => Err(cannot(why)),
        (false, _) => Err(OutboxError::Refused(program.to_owned(), status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::receipt::example::{Paid, example};

    fn mail() -> Mail {
        Mail::of(&example(Paid::Card).unwrap(), "r", 1, &"ada@example.com".parse().unwrap(), false, 0)
    }

    fn outbox(way: Way) -> Outbox {
        Outbox { from: "receipts@northwick.example".parse().unwrap(), way }
    }

    #[test]
    fn a_folder_holds_one_file_however_often_it_is_handed_over() {
        let dir = tempfile::tempdir().unwrap();
        let outbox = outbox(Way::Folder(dir.path().to_owned()));
        for _ in 0..2 {
            outbox.hand_over(&mail()).unwrap();
        }
        let names: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["r.1.eml"]);
        let gone = Outbox { way: Way::Folder("/no/such/folder".into()), ..outbox };
        assert!(gone.hand_over(&mail()).unwrap_err().to_string().contains("--outbox"));
    }

    #[test]
    fn a_command_gets_the_message_and_its_word_counts() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("out");
        let sh = |script: &str| outbox(Way::Command("sh".to_owned(), vec!["-c".to_owned(), script.to_owned()]));
        sh(&format!("cat > {}", file.display())).hand_over(&mail()).unwrap();
        let got = std::fs::read_to_string(&file).unwrap();
        assert!(got.contains("To: <ada@example.com>\n") && !got.contains('\r'), "{got}");
        assert!(sh("cat > /dev/null; exit 3").hand_over(&mail()).unwrap_err().to_string().contains("exit status: 3"));
        let missing = outbox(Way::Command("/no/such/program".to_owned(), Vec::new()));
        assert!(missing.hand_over(&mail()).unwrap_err().to_string().contains("--mail-command"));
    }
}
