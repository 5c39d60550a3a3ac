//! Who calls: a challenge signed by the device's key becomes a short bearer token. No clock of the device is needed.

use super::{Office, OfficeError, digest, id_from, mode, random_hex};
use crate::domain::id::DeviceId;
use crate::sync::wire::{SessionAnswer, SessionRequest, challenge_bytes, verify};
use rusqlite::OptionalExtension as _;

/// How long a challenge waits, milliseconds.
const CHALLENGE_MS: i64 = 60_000;
/// How long a token is good for, milliseconds.
const TOKEN_MS: i64 = 3_600_000;

impl Office {
    /// A challenge, or a token for a signed one; `None` when the device or the signature is not good.
    pub(super) fn session(&self, request: &SessionRequest) -> Result<Option<SessionAnswer>, OfficeError> {
        let now = self.now_ms();
        let device = request.device.to_string();
        self.write(|tx| {
            tx.execute("DELETE FROM challenge WHERE expires_ms < ?1", [now])?;
            tx.execute("DELETE FROM device_token WHERE expires_ms < ?1", [now])?;
            let key: Option<String> = tx
                .query_row("SELECT public_key FROM device WHERE id = ?1 AND revoked_ms IS NULL", [&device], |r| {
                    r.get(0)
                })
                .optional()?
                .flatten();
            let Some(key) = key else { return Ok(None) };
            let Some(answer) = &request.answer else {
                let nonce = random_hex(24);
                tx.execute("INSERT INTO challenge VALUES (?1, ?2, ?3)", (&nonce, &device, now + CHALLENGE_MS))?;
                return Ok(Some(SessionAnswer::Challenge { nonce }));
            };
            let known =
                tx.execute("DELETE FROM challenge WHERE nonce = ?1 AND device = ?2", (&answer.nonce, &device))?;
            if known != 1 || !verify(&key, &challenge_bytes(request.device, &answer.nonce), &answer.signature) {
                return Ok(None);
            }
            let token = random_hex(32);
            tx.execute("INSERT INTO device_token VALUES (?1, ?2, ?3)", (digest(&token), &device, now + TOKEN_MS))?;
            let mode = mode::of(tx)?;
            Ok(Some(SessionAnswer::Token { token, good_for_ms: TOKEN_MS.unsigned_abs(), mode }))
        })
    }

    /// The device that a bearer token belongs to.
    pub(super) fn device_of(&self, token: &str) -> Result<Option<DeviceId>, OfficeError> {
        let now = self.now_ms();
        self.read(|db| {
            let id: Option<String> = db
                .prepare_cached(
                    "SELECT t.device FROM device_token t JOIN device d ON d.id = t.device
                     WHERE t.token_sha256 = ?1 AND t.expires_ms > ?2 AND d.revoked_ms IS NULL",
                )?
                .query_row((digest(token), now), |r| r.get(0))
                .optional()?;
            id.map(|id| id_from(&id)).transpose()
        })
    }
}
