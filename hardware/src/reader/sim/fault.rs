//! What goes wrong between a simulated reader and its host, message by message.

use std::time::Duration;

/// One fault, at the `n`th message of the reader on a connection, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It never arrives.
    Lost(u32),
    /// It arrives twice.
    Doubled(u32),
    /// It arrives late.
    Late(u32, Duration),
    /// The connection breaks before it.
    Cut(u32),
}

impl std::str::FromStr for Fault {
    type Err = String;

    /// `lost:N`, `doubled:N`, `late:N` (two seconds) or `cut:N`.
    fn from_str(text: &str) -> Result<Fault, String> {
        let wrong = || format!("{text} is no fault: write lost:N, doubled:N, late:N or cut:N, N counted from 0");
        let (kind, number) = text.split_once(':').ok_or_else(wrong)?;
        let number = number.parse().map_err(|_| wrong())?;
        match kind {
            "lost" => Ok(Fault::Lost(number)),
            "doubled" => Ok(Fault::Doubled(number)),
            "late" => Ok(Fault::Late(number, Duration::from_secs(2))),
            "cut" => Ok(Fault::Cut(number)),
            _ => Err(wrong()),
        }
    }
}

pub(super) struct Faults {
    fault: Option<Fault>,
    count: u32,
    cut: bool,
}

impl Faults {
    pub(super) fn new(fault: Option<Fault>) -> Faults {
        Faults { fault, count: 0, cut: false }
    }

    /// What arrives of a message.
    pub(super) async fn pass<M: Clone>(&mut self, message: M) -> Vec<M> {
        let number = self.count;
        self.count = self.count.saturating_add(1);
        match self.fault {
            Some(Fault::Lost(n)) if n == number => Vec::new(),
            Some(Fault::Doubled(n)) if n == number => vec![message.clone(), message],
            Some(Fault::Late(n, by)) if n == number => {
                tokio::time::sleep(by).await;
                vec![message]
            }
            Some(Fault::Cut(n)) if n == number => {
                self.cut = true;
                Vec::new()
            }
            _ => vec![message],
        }
    }

    pub(super) fn is_cut(&self) -> bool {
        self.cut
    }
}
