//! A receipt as an e-mail: text and HTML of the same rows as on paper, in a message of RFC 5322 and RFC 2045 to 2049.
//!
//! Invariant: the head is seven bits, its lines end where this file ends them, and whatever a person typed stands in it
//! encoded (RFC 2047) or not at all; the body is base64. Start at [`Mail::message`].

use crate::domain::email::EmailAddress;
use crate::domain::receipt::Receipt;
use crate::domain::receipt::content::{Block, content};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, html};

/// Columns of the text.
const COLUMNS: usize = 48;
/// Characters of a line of base64 (RFC 2045, 6.8).
const LINE: usize = 76;
/// Bytes in one encoded word: at most 75 characters (RFC 2047, 2).
const WORD_BYTES: usize = 45;
/// The longest subject and name, characters.
const HEAD_CHARS_MAX: usize = 200;

/// A message, ready but for who sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The same whenever this one is made: `REQUEST.N`.
    pub id: String,
    /// The id of the one that it replaces.
    pub replaces: Option<String>,
    /// Where to.
    pub to: EmailAddress,
    /// The merchant's name.
    pub from_name: String,
    /// What it is about.
    pub subject: String,
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// As text.
    pub text: String,
    /// As HTML.
    pub html: String,
}

impl Mail {
    /// The message of a receipt; the `n`th of a request, which replaces the one before if `replaces`.
    pub fn of(receipt: &Receipt, request: &str, n: u32, to: &EmailAddress, replaces: bool, at_ms: i64) -> Mail {
        let mode = receipt.mode.word().map(|word| format!("{word}: ")).unwrap_or_default();
        let what = if replaces { "Your new receipt" } else { "Your receipt" };
        let standing = receipt.standing().words();
        Mail {
            id: format!("{request}.{n}"),
            replaces: replaces.then(|| format!("{request}.{}", n.saturating_sub(1))),
            to: to.clone(),
            from_name: receipt.merchant.name.clone(),
            subject: format!("{mode}{what} {} from {} ({standing})", receipt.document, receipt.merchant.name),
            at_ms,
            text: text(receipt),
            html: as_html(receipt),
        }
    }

    /// The whole message, sent by `from`; lines end in CR LF.
    pub fn message(&self, from: &EmailAddress) -> String {
        let id = |id: &str| format!("<{id}@{}>", from.domain());
        // No line of base64 begins with it.
        let boundary = format!("=_{}", self.id);
        let mut head = vec![
            format!("Date: {}", date(self.at_ms)),
            format!("From: {} <{from}>", words(&self.from_name)),
            format!("To: <{}>", self.to),
            format!("Message-ID: {}", id(&self.id)),
            format!("Subject: {}", words(&self.subject)),
            "Auto-Submitted: auto-generated".to_owned(),
            "MIME-Version: 1.0".to_owned(),
            format!("Content-Type: multipart/alternative;\r\n boundary=\"{boundary}\""),
        ];
        if let Some(before) = &self.replaces {
            head.push(format!("In-Reply-To: {}", id(before)));
            head.push(format!("References: {}", id(before)));
        }
        let mut out = head.join("\r\n");
        out.push_str("\r\n\r\n");
        for (kind, body) in [("plain", &self.text), ("html", &self.html)] {
            out.push_str(&format!(
                "--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
                folded(body.as_bytes())
            ));
        }
        out.push_str(&format!("--{boundary}--\r\n"));
        out
    }
}

/// `Tue, 24 Nov 2026 09:58:00 +0000` (RFC 5322, 3.3).
fn date(at_ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// Words for the head: as they are where they are plain, else encoded, one word a line.
fn words(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).take(HEAD_CHARS_MAX).collect();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b' ' || b == b'-';
    if text.len() <= WORD_BYTES && !text.trim().is_empty() && text.bytes().all(plain) {
        return text.trim().to_owned();
    }
    let mut parts = vec![String::new()];
    for c in text.chars() {
        if parts.last().is_some_and(|part| part.len() + c.len_utf8() > WORD_BYTES) {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    let encoded = parts.iter().map(|part| format!("=?UTF-8?B?{}?=", STANDARD.encode(part)));
    encoded.collect::<Vec<_>>().join("\r\n ")
}

fn folded(bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let mut out = String::with_capacity(text.len() + text.len() / LINE * 2 + 2);
    let mut rest = text.as_str();
    while let Some((line, after)) = rest.split_at_checked(LINE) {
        out.push_str(line);
        out.push_str("\r\n");
        rest = after;
    }
    out.push_str(rest);
    out.push_str("\r\n");
    out
}

fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// The rows as text; pictures and codes are for paper.
fn text(receipt: &Receipt) -> String {
    let mut out = String::new();
    for block in content(receipt) {
        match block {
            Block::Line { left, right, centred, .. } => {
                let (left, right) = (clean(&left), clean(&right));
                let cells = left.chars().count() + right.chars().count();
                let row = if centred {
                    format!("{:indent$}{left}", "", indent = COLUMNS.saturating_sub(cells) / 2)
                } else if right.is_empty() || cells < COLUMNS {
                    format!("{left}{:gap$}{right}", "", gap = COLUMNS.saturating_sub(cells))
                } else {
                    format!("{left}\n{right:>COLUMNS$}")
                };
                out.push_str(row.trim_end());
            }
            Block::Rule => out.push_str(&"-".repeat(COLUMNS)),
            Block::Qr(_) | Block::Logo(_) => continue,
        }
        out.push('\n');
    }
    out
}

fn as_html(receipt: &Receipt) -> String {
    let row = |block: Block| match block {
        Block::Line { left, right, bold, large, centred } => {
            let weight = if bold || large { "font-weight:bold;" } else { "" };
            let left = clean(&left);
            // Blanks at its front say what belongs to what.
            let indent = left.len() - left.trim_start().len();
            let style = format!("{weight}padding-left:{indent}ch;");
            let middle = format!("{weight}text-align:center;");
            html! {
                tr {
                    @if centred { td colspan="2" style=(middle) { (left) } }
                    @else {
                        td style=(style) { (left) }
                        td style=(format!("{weight}text-align:right;white-space:nowrap;")) { (clean(&right)) }
                    }
                }
            }
        }
        Block::Rule => html! { tr { td colspan="2" { hr; } } },
        Block::Qr(_) | Block::Logo(_) => html! {},
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { "Receipt " (receipt.document) } }
            body {
                table style="font-family:monospace;max-width:32em;margin:auto;border-collapse:collapse;" {
                    @for block in content(receipt) { (row(block)) }
                }
            }
        }
    };
    page.into_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::receipt::example::{Paid, example};
    use proptest::prelude::*;

    fn mail(edit: impl Fn(&mut Receipt)) -> Mail {
        let mut receipt = example(Paid::Stored).unwrap();
        edit(&mut receipt);
        Mail::of(&receipt, "0190-1", 2, &"ada@example.com".parse().unwrap(), true, 1_795_514_280_000)
    }

    #[test]
    fn the_head_is_as_it_is_written() {
        let from = "receipts@northwick.example".parse().unwrap();
        let message = mail(|_| {}).message(&from);
        let (head, body) = message.split_once("\r\n\r\n").unwrap();
        insta::assert_snapshot!(head.replace("\r\n", "\n"));
        assert!(body.lines().all(|line| line.len() <= LINE && line.is_ascii()));
    }

    #[test]
    fn the_text_says_what_is_pending_and_what_it_replaces() {
        let mail = mail(|receipt| receipt.replaces = Some("2026-11-23 08:00".to_owned()));
        for wanted in ["PENDING BANK AUTHORISATION", "(~) Card", "REPLACES THE RECEIPT OF", "Brötchen & Café"] {
            assert!(mail.text.contains(wanted), "{}", mail.text);
        }
        assert!(!mail.text.contains("APPROVED") && !mail.html.contains("APPROVED"));
        assert!(mail.html.contains("Brötchen &amp; Café"));
    }

    proptest! {
        #[test]
        fn no_name_adds_a_line_to_the_head(name in "(.|\r|\n){0,120}", customer in "(.|\r|\n|<){0,40}") {
            let from = "receipts@northwick.example".parse().unwrap();
            let plain = mail(|_| {}).message(&from);
            let mail = mail(|receipt| {
                receipt.merchant.name.clone_from(&name);
                receipt.customer.clone_from(&customer);
            });
            let message = mail.message(&from);
            let head = |message: &str| {
                let head = message.split_once("\r\n\r\n").unwrap().0.to_owned();
                head.split("\r\n").filter(|line| !line.starts_with(' ')).map(|line| line.split(':').next().unwrap().to_owned())
                    .collect::<Vec<_>>()
            };
            prop_assert_eq!(head(&message), head(&plain));
            prop_assert!(message.is_ascii());
            prop_assert!(message.split("\r\n").all(|line| !line.contains(['\r', '\n']) && line.len() <= 998));
        }
    }
}
