-- The ledger of the simulated card processor: what it was asked, what it answered, what came of it.
-- No column can hold a card number, a track or a cipher text: a card is its name, its brand and its last four digits,
-- and a cipher text is its SHA-256. `application_id` 0x74_72_70_6c ("trpl") marks the file as ours.

-- One card session: a reader gives every card it reads its own KSN, so one KSN belongs to one cipher text for ever.
CREATE TABLE card_sessions (
    ksn               TEXT PRIMARY KEY CHECK (length(ksn) IN (20, 24)),
    ciphertext_sha256 BLOB NOT NULL CHECK (length(ciphertext_sha256) = 32)
) STRICT;

-- One answered authorisation request. Never changed, never deleted: what came of it stands in `endings`.
CREATE TABLE authorisations (
    n               INTEGER PRIMARY KEY,
    key             TEXT NOT NULL UNIQUE CHECK (length(key) BETWEEN 1 AND 128),
    content_sha256  BLOB NOT NULL CHECK (length(content_sha256) = 32),
    received_at_ms  INTEGER NOT NULL,
    stan            TEXT NOT NULL,
    rrn             TEXT NOT NULL,
    terminal        TEXT NOT NULL,
    amount_minor    INTEGER NOT NULL CHECK (amount_minor BETWEEN 1 AND 999999999999),
    currency        TEXT NOT NULL CHECK (length(currency) = 3),
    deferred        INTEGER NOT NULL CHECK (deferred IN (0, 1)),
    allow_partial   INTEGER NOT NULL CHECK (allow_partial IN (0, 1)),
    -- NULL where the cipher text was not the one of its KSN, or could not be read.
    session_ksn     TEXT REFERENCES card_sessions (ksn),
    -- The kept card that was charged, who asked, and the network's id of the payment with which its holder agreed.
    kept_token      TEXT REFERENCES kept_cards (token),
    initiator       TEXT CHECK (initiator IN ('customer', 'merchant')),
    follows         TEXT,
    card            TEXT,
    brand           TEXT,
    last4           TEXT CHECK (length(last4) = 4),
    response_code   TEXT NOT NULL CHECK (length(response_code) = 2),
    approved_minor  INTEGER NOT NULL,
    auth_code       TEXT CHECK (length(auth_code) = 6),
    CHECK (CASE response_code
               WHEN '00' THEN approved_minor = amount_minor
               WHEN '10' THEN approved_minor > 0 AND approved_minor < amount_minor AND allow_partial AND NOT deferred
               ELSE approved_minor = 0
           END),
    CHECK ((approved_minor > 0) = (auth_code IS NOT NULL)),
    CHECK (approved_minor = 0 OR (last4 IS NOT NULL AND (session_ksn IS NULL) <> (kept_token IS NULL))),
    CHECK (approved_minor = 0 OR kept_token IS NULL OR initiator = 'customer' OR follows IS NOT NULL)
) STRICT;
CREATE INDEX authorisations_of_kept ON authorisations (kept_token, response_code) WHERE kept_token IS NOT NULL;

-- Cards that are kept for later, each with the approval that its holder agreed with.
CREATE TABLE kept_cards (
    token           TEXT PRIMARY KEY CHECK (length(token) BETWEEN 1 AND 64),
    of              TEXT NOT NULL UNIQUE REFERENCES authorisations (key),
    card            TEXT,
    brand           TEXT,
    last4           TEXT CHECK (length(last4) = 4),
    network_id      TEXT NOT NULL,
    at_ms           INTEGER NOT NULL,
    forgotten_at_ms INTEGER
) STRICT;
CREATE INDEX authorisations_by_session ON authorisations (session_ksn, response_code);

-- What came of a key: captured or reversed, never both, which the primary key guarantees.
-- A reversal may come before its authorisation: then it stands here alone and the late request is declined.
CREATE TABLE endings (
    key           TEXT PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 128),
    kind          TEXT NOT NULL CHECK (kind IN ('captured', 'reversed')),
    amount_minor  INTEGER NOT NULL,
    at_ms         INTEGER NOT NULL,
    CHECK ((kind = 'captured') = (amount_minor > 0)),
    CHECK (amount_minor >= 0)
) STRICT;

-- Money that went back after a capture, by the refund's own key; a reversal that came after the capture is one of the rest.
CREATE TABLE refunds (
    key           TEXT PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 160),
    of            TEXT NOT NULL REFERENCES endings (key),
    amount_minor  INTEGER NOT NULL CHECK (amount_minor > 0),
    at_ms         INTEGER NOT NULL
) STRICT;
CREATE INDEX refunds_by_capture ON refunds (of);

CREATE TRIGGER capture_within_its_authorisation BEFORE INSERT ON endings
WHEN NEW.kind = 'captured' AND NEW.amount_minor >
     coalesce((SELECT approved_minor FROM authorisations WHERE key = NEW.key), 0)
BEGIN SELECT RAISE(ABORT, 'a capture is above what was authorised'); END;

CREATE TRIGGER nothing_approved_after_its_reversal BEFORE INSERT ON authorisations
WHEN NEW.approved_minor > 0 AND EXISTS (SELECT 1 FROM endings WHERE key = NEW.key)
BEGIN SELECT RAISE(ABORT, 'the key was reversed before it came'); END;

CREATE TRIGGER kept_with_an_approval BEFORE INSERT ON kept_cards
WHEN coalesce((SELECT approved_minor FROM authorisations WHERE key = NEW.of), 0) = 0
BEGIN SELECT RAISE(ABORT, 'a card is kept with an approval only'); END;

CREATE TRIGGER refunds_within_their_capture BEFORE INSERT ON refunds
WHEN NEW.amount_minor + coalesce((SELECT sum(amount_minor) FROM refunds WHERE of = NEW.of), 0) >
     coalesce((SELECT amount_minor FROM endings WHERE key = NEW.of AND kind = 'captured'), 0)
BEGIN SELECT RAISE(ABORT, 'refunds are above what was captured'); END;

CREATE TRIGGER authorisations_stay BEFORE UPDATE ON authorisations
BEGIN SELECT RAISE(ABORT, 'an authorisation is never changed'); END;
CREATE TRIGGER authorisations_are_kept BEFORE DELETE ON authorisations
BEGIN SELECT RAISE(ABORT, 'an authorisation is never deleted'); END;
CREATE TRIGGER endings_stay BEFORE UPDATE ON endings
BEGIN SELECT RAISE(ABORT, 'an ending is never changed'); END;
CREATE TRIGGER endings_are_kept BEFORE DELETE ON endings
BEGIN SELECT RAISE(ABORT, 'an ending is never deleted'); END;
CREATE TRIGGER refunds_stay BEFORE UPDATE ON refunds
BEGIN SELECT RAISE(ABORT, 'a refund is never changed'); END;
CREATE TRIGGER refunds_are_kept BEFORE DELETE ON refunds
BEGIN SELECT RAISE(ABORT, 'a refund is never deleted'); END;
