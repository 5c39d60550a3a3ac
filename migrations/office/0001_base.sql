-- The office's first schema.
--
-- Written so that PostgreSQL and its wire-compatible engines can take it: ids are UUID text, no sequences, no
-- triggers, every hot table keyed by device. Times are Unix milliseconds, money is minor units.
-- A check against three or more words is written with OR: for IN, SQLite builds a table in memory at each statement.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- Whether money is real: one row, written once.
CREATE TABLE office_mode (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    mode TEXT NOT NULL CHECK (mode IN ('live', 'test'))
) STRICT;

-- Master data, owned by the office. external_id is the key that imports go by.
CREATE TABLE technician (
    id          TEXT PRIMARY KEY,
    external_id TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL CHECK (name <> '')
) STRICT;

CREATE TABLE customer (
    id          TEXT PRIMARY KEY,
    external_id TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL CHECK (name <> ''),
    phone       TEXT NOT NULL,
    email       TEXT NOT NULL,
    street      TEXT NOT NULL,
    city        TEXT NOT NULL,
    postcode    TEXT NOT NULL,
    country     TEXT NOT NULL,
    tax_id      TEXT NOT NULL,
    note        TEXT NOT NULL
) STRICT;

CREATE TABLE site (
    id          TEXT PRIMARY KEY,
    external_id TEXT NOT NULL UNIQUE,
    customer    TEXT NOT NULL REFERENCES customer (id),
    name        TEXT NOT NULL,
    street      TEXT NOT NULL,
    city        TEXT NOT NULL,
    postcode    TEXT NOT NULL,
    country     TEXT NOT NULL,
    access_note TEXT NOT NULL
) STRICT;

CREATE TABLE equipment (
    id             TEXT PRIMARY KEY,
    external_id    TEXT NOT NULL UNIQUE,
    site           TEXT NOT NULL REFERENCES site (id),
    name           TEXT NOT NULL,
    model          TEXT NOT NULL,
    serial         TEXT NOT NULL,
    installed_on   TEXT NOT NULL,
    warranty_until TEXT NOT NULL
) STRICT;

CREATE TABLE price_item (
    id            TEXT PRIMARY KEY,
    external_id   TEXT NOT NULL UNIQUE,
    kind          TEXT NOT NULL CHECK (kind = 'labour' OR kind = 'part' OR kind = 'fee'),
    name          TEXT NOT NULL CHECK (name <> ''),
    unit          TEXT NOT NULL,
    price_minor   INTEGER NOT NULL CHECK (price_minor >= 0),
    currency      TEXT NOT NULL CHECK (length(currency) = 3),
    tax_code      TEXT NOT NULL,
    stock_tracked INTEGER NOT NULL CHECK (stock_tracked IN (0, 1))
) STRICT;

-- A job and its one appointment. review is the dispatcher's word on the finished visit.
CREATE TABLE job (
    id              TEXT PRIMARY KEY,
    external_id     TEXT NOT NULL UNIQUE,
    visit           TEXT NOT NULL UNIQUE,
    customer        TEXT NOT NULL REFERENCES customer (id),
    site            TEXT NOT NULL REFERENCES site (id),
    title           TEXT NOT NULL CHECK (title <> ''),
    description     TEXT NOT NULL,
    priority        INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 3),
    window_start_ms INTEGER NOT NULL,
    window_end_ms   INTEGER NOT NULL CHECK (window_end_ms > window_start_ms),
    technician      TEXT REFERENCES technician (id),
    review          TEXT NOT NULL CHECK (review = 'open' OR review = 'approved' OR review = 'sent_back'),
    reviewed_by     TEXT,
    reviewed_ms     INTEGER
) STRICT;
CREATE INDEX job_by_technician ON job (technician, window_start_ms);

-- Handhelds. public_key is Ed25519, hex; NULL until enrolled.
CREATE TABLE device (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    technician    TEXT REFERENCES technician (id),
    public_key    TEXT,
    created_ms    INTEGER NOT NULL,
    enrolled_ms   INTEGER,
    revoked_ms    INTEGER,
    last_heard_ms INTEGER
) STRICT;

-- Every key that a handheld ever had: receipts outlive an enrolment.
CREATE TABLE device_key (
    public_key TEXT PRIMARY KEY CHECK (length(public_key) = 64),
    device     TEXT NOT NULL REFERENCES device (id),
    since_ms   INTEGER NOT NULL
) STRICT;

-- One journal of a handheld. acked: contiguous and stored; stated: the head that the handheld says it has. met: the
-- office's epoch that it spoke to last, and the head that it stated when it first did; 0 in an office never restored.
CREATE TABLE device_epoch (
    device     TEXT NOT NULL REFERENCES device (id),
    epoch      TEXT NOT NULL,
    acked_seq  INTEGER NOT NULL CHECK (acked_seq >= 0),
    acked_hash TEXT NOT NULL,
    stated_seq INTEGER NOT NULL CHECK (stated_seq >= 0),
    since_ms   INTEGER NOT NULL,
    met_office TEXT NOT NULL DEFAULT '',
    met_seq    INTEGER NOT NULL DEFAULT 0 CHECK (met_seq >= 0),
    PRIMARY KEY (device, epoch)
) STRICT;

-- The office's own epochs before the present one: each ended with a restore from a backup.
CREATE TABLE former_epoch (
    epoch    TEXT PRIMARY KEY,
    ended_ms INTEGER NOT NULL
) STRICT;

-- One-time enrolment codes and bearer tokens, by their SHA-256; challenges that wait for a signature.
CREATE TABLE enrol_code (
    code_sha256 TEXT PRIMARY KEY,
    device      TEXT NOT NULL REFERENCES device (id),
    expires_ms  INTEGER NOT NULL,
    used_ms     INTEGER
) STRICT;

CREATE TABLE challenge (
    nonce      TEXT PRIMARY KEY,
    device     TEXT NOT NULL REFERENCES device (id),
    expires_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE device_token (
    token_sha256 TEXT PRIMARY KEY,
    device       TEXT NOT NULL REFERENCES device (id),
    expires_ms   INTEGER NOT NULL
) STRICT;

-- Every row that any handheld ever sent, as sent. result: what became of it here.
CREATE TABLE journal (
    device      TEXT NOT NULL REFERENCES device (id),
    epoch       TEXT NOT NULL,
    seq         INTEGER NOT NULL CHECK (seq > 0),
    id          TEXT NOT NULL UNIQUE,
    kind        TEXT NOT NULL,
    v           INTEGER NOT NULL,
    subjects    TEXT NOT NULL,
    at_ms       INTEGER NOT NULL,
    boot        TEXT NOT NULL,
    mono_ms     INTEGER NOT NULL,
    offset_ms   INTEGER,
    actor       TEXT NOT NULL,
    body        BLOB NOT NULL,
    hash        TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    result      TEXT NOT NULL CHECK (result = 'applied' OR result = 'duplicate' OR result = 'held' OR result = 'quarantined'),
    reason      TEXT,
    PRIMARY KEY (device, epoch, seq)
) STRICT;
CREATE INDEX journal_not_applied ON journal (device, result) WHERE result IN ('held', 'quarantined');

-- Rows that contradict the journal: a copied or restored card.
CREATE TABLE journal_fork (
    device      TEXT NOT NULL REFERENCES device (id),
    epoch       TEXT NOT NULL,
    seq         INTEGER NOT NULL,
    id          TEXT NOT NULL,
    hash        TEXT NOT NULL,
    row         BLOB NOT NULL,
    received_ms INTEGER NOT NULL,
    PRIMARY KEY (device, epoch, seq, hash)
) STRICT;

-- Which rows speak about what: job pages read it, and later rows are held behind a quarantined subject.
CREATE TABLE journal_subject (
    subject TEXT NOT NULL,
    device  TEXT NOT NULL,
    epoch   TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    PRIMARY KEY (subject, device, epoch, seq)
) STRICT;

-- The fold of the journals: the handhelds' facts, in the same tables as on a handheld.
CREATE TABLE visit_work (
    visit      TEXT PRIMARY KEY,
    job        TEXT NOT NULL,
    device     TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state = 'new' OR state = 'accepted' OR state = 'en_route' OR state = 'on_site' OR state = 'done'),
    money      TEXT NOT NULL CHECK (money = 'none' OR money = 'due' OR money = 'pending' OR money = 'paid'),
    changed_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE line (
    id     TEXT PRIMARY KEY,
    visit  TEXT NOT NULL,
    device TEXT NOT NULL,
    seq    INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX line_by_visit ON line (visit, seq);

-- Invoices, and deposits: paid is the most that was certain so far, used pays invoices, back went back or is asked to.
CREATE TABLE invoice (
    id          TEXT PRIMARY KEY,
    device      TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind = 'invoice' OR kind = 'deposit'),
    document    TEXT NOT NULL UNIQUE,
    job         TEXT NOT NULL,
    visit       TEXT NOT NULL,
    customer    TEXT NOT NULL,
    currency    TEXT NOT NULL,
    total_minor INTEGER NOT NULL,
    paid_minor  INTEGER NOT NULL CHECK (paid_minor >= 0),
    used_minor  INTEGER NOT NULL CHECK (used_minor >= 0),
    back_minor  INTEGER NOT NULL CHECK (back_minor >= 0),
    state       TEXT NOT NULL CHECK (state = 'issued' OR state = 'part_paid' OR state = 'paid' OR state = 'cancelled'),
    delivered   INTEGER NOT NULL CHECK (delivered IN (0, 1)),
    issued_ms   INTEGER NOT NULL,
    record      TEXT NOT NULL,
    -- No more of a deposit pays invoices and goes back than was paid, whoever asks how often.
    CHECK (used_minor + back_minor <= paid_minor),
    CHECK (kind = 'deposit' OR paid_minor = 0)
) STRICT;
CREATE UNIQUE INDEX invoice_one_a_visit ON invoice (visit) WHERE kind = 'invoice' AND state <> 'cancelled';
CREATE INDEX invoice_by_job ON invoice (job);
CREATE INDEX deposit_by_customer ON invoice (customer) WHERE kind = 'deposit';

-- A payment as the handheld has it. record is the whole of it as JSON; the columns are what is searched and summed.
-- covers and promises: what of it counts for the invoice, certain and pending; tips and the like do not.
CREATE TABLE payment (
    id             TEXT PRIMARY KEY,
    device         TEXT NOT NULL,
    invoice        TEXT NOT NULL,
    document       TEXT NOT NULL,
    job            TEXT NOT NULL,
    visit          TEXT NOT NULL,
    tender         TEXT NOT NULL CHECK (tender = 'card' OR tender = 'cash' OR tender = 'cheque' OR tender = 'transfer'
                                           OR tender = 'deposit'),
    currency       TEXT NOT NULL,
    amount_minor   INTEGER NOT NULL CHECK (amount_minor > 0),
    base_minor     INTEGER NOT NULL CHECK (base_minor >= 0),
    state          TEXT NOT NULL,
    approved_minor INTEGER NOT NULL CHECK (approved_minor >= 0),
    pending_minor  INTEGER NOT NULL CHECK (pending_minor >= 0),
    covers_minor   INTEGER NOT NULL,
    promises_minor INTEGER NOT NULL,
    refunded_minor INTEGER NOT NULL CHECK (refunded_minor >= 0),
    refund_open_minor INTEGER NOT NULL CHECK (refund_open_minor >= 0),
    deposit        TEXT CHECK ((deposit IS NULL) = (tender <> 'deposit')),
    deadline_ms    INTEGER,
    seq            INTEGER NOT NULL,
    at_ms          INTEGER NOT NULL,
    record         TEXT NOT NULL,
    CHECK (approved_minor + pending_minor <= amount_minor),
    -- No more goes back than was taken, whoever asks how often.
    CHECK (refunded_minor + refund_open_minor <= approved_minor)
) STRICT;
CREATE INDEX payment_by_invoice ON payment (invoice);
CREATE INDEX payment_by_deposit ON payment (deposit) WHERE deposit IS NOT NULL;
CREATE INDEX payment_by_job ON payment (job);

-- The office's side of a card payment: what it was asked, and how far it is. in_question: after a restore nobody knows
-- whether it is at the processor; 1 it is looked up, 2 a person decides. unfit: the adapter has said, before anything was
-- sent, that it cannot carry this card's data.
CREATE TABLE card_payment (
    payment            TEXT PRIMARY KEY REFERENCES payment (id),
    device             TEXT NOT NULL,
    epoch              TEXT NOT NULL,
    currency           TEXT NOT NULL,
    amount_minor       INTEGER NOT NULL CHECK (amount_minor > 0),
    blob               TEXT NOT NULL,
    ksn                TEXT NOT NULL,
    ciphertext_sha256  TEXT NOT NULL,
    reused_from        TEXT,
    kept_card          TEXT REFERENCES kept_card (id),
    in_question        INTEGER NOT NULL DEFAULT 0 CHECK (in_question BETWEEN 0 AND 2),
    requested_seq      INTEGER,
    request_age_ms     INTEGER,
    request_heard_ms   INTEGER,
    accepted_offline   INTEGER NOT NULL DEFAULT 0 CHECK (accepted_offline IN (0, 1)),
    deadline_ms        INTEGER,
    outcome_seen       INTEGER NOT NULL DEFAULT 0 CHECK (outcome_seen IN (0, 1)),
    void_requested     INTEGER NOT NULL DEFAULT 0 CHECK (void_requested IN (0, 1)),
    frozen             INTEGER NOT NULL DEFAULT 0 CHECK (frozen IN (0, 1)),
    unfit              INTEGER NOT NULL DEFAULT 0 CHECK (unfit IN (0, 1)),
    released_by        TEXT,
    voided_by          TEXT,
    outcome            TEXT NOT NULL,
    outcome_n          INTEGER NOT NULL,
    outcome_record     TEXT,
    seen_n             INTEGER NOT NULL DEFAULT 0,
    approved_minor     INTEGER NOT NULL DEFAULT 0 CHECK (approved_minor BETWEEN 0 AND amount_minor),
    captured_minor     INTEGER NOT NULL DEFAULT 0 CHECK (captured_minor BETWEEN 0 AND amount_minor),
    refunded_minor     INTEGER NOT NULL DEFAULT 0 CHECK (refunded_minor BETWEEN 0 AND captured_minor),
    approved_ms        INTEGER,
    next_ms            INTEGER NOT NULL,
    over               INTEGER NOT NULL DEFAULT 0 CHECK (over IN (0, 1))
) STRICT;
-- One card read, one payment: KSN and ciphertext cannot serve twice. A payment that comes with those of another
-- names that one in reused_from, and nothing is ever sent for it.
CREATE UNIQUE INDEX card_read_once ON card_payment (ksn, ciphertext_sha256) WHERE reused_from IS NULL;
CREATE INDEX card_payment_due ON card_payment (next_ms) WHERE over = 0;

-- Texts of consent that handhelds were ever given; none is changed. Another text is another version.
CREATE TABLE consent_text (
    version    TEXT PRIMARY KEY,
    sha256     TEXT NOT NULL,
    text       TEXT NOT NULL CHECK (text <> ''),
    since_ms   INTEGER NOT NULL,
    UNIQUE (version, sha256)
) STRICT;

-- Cards that the processor keeps, by its token: never a card number. payment: with which its holder agreed.
-- network: the card network's id of that payment. A card whose holder has ended it has no token any more.
CREATE TABLE kept_card (
    id             TEXT PRIMARY KEY,
    customer       TEXT NOT NULL REFERENCES customer (id),
    payment        TEXT NOT NULL UNIQUE REFERENCES payment (id),
    brand          TEXT NOT NULL,
    last4          TEXT NOT NULL CHECK (length(last4) = 4),
    token          TEXT NOT NULL,
    network        TEXT,
    consent        TEXT NOT NULL,
    consent_sha256 TEXT NOT NULL,
    kept_ms        INTEGER NOT NULL,
    ended_ms       INTEGER,
    ended_by       TEXT,
    ended_why      TEXT,
    FOREIGN KEY (consent, consent_sha256) REFERENCES consent_text (version, sha256),
    CHECK ((ended_ms IS NULL) = (token <> '')),
    CHECK ((ended_ms IS NULL) = (ended_by IS NULL) AND (ended_ms IS NULL) = (ended_why IS NULL))
) STRICT;
CREATE INDEX kept_card_of ON kept_card (customer);

-- Cards whose holder has ended the consent and which the processor was not heard to have forgotten: the token is here until
-- then, and nowhere else.
CREATE TABLE card_to_forget (
    card    TEXT PRIMARY KEY REFERENCES kept_card (id),
    token   TEXT NOT NULL CHECK (token <> ''),
    tries   INTEGER NOT NULL DEFAULT 0,
    next_ms INTEGER NOT NULL
) STRICT;

-- What a customer has agreed to pay again and again. dues: how many due dates have come; the next is counted from
-- first_due, so that the 31st stays the 31st. why: of its present state.
CREATE TABLE agreement (
    id           TEXT PRIMARY KEY,
    customer     TEXT NOT NULL REFERENCES customer (id),
    kept_card    TEXT NOT NULL REFERENCES kept_card (id),
    what         TEXT NOT NULL CHECK (length(what) BETWEEN 3 AND 100),
    currency     TEXT NOT NULL CHECK (length(currency) = 3),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    tax          TEXT NOT NULL,
    every        INTEGER NOT NULL CHECK (every BETWEEN 1 AND 366),
    unit         TEXT NOT NULL CHECK (unit = 'days' OR unit = 'weeks' OR unit = 'months'),
    first_due    TEXT NOT NULL CHECK (length(first_due) = 10),
    dues         INTEGER NOT NULL DEFAULT 0 CHECK (dues >= 0),
    next_due     TEXT NOT NULL CHECK (length(next_due) = 10),
    retry_days   INTEGER NOT NULL CHECK (retry_days BETWEEN 1 AND 30),
    tries        INTEGER NOT NULL CHECK (tries BETWEEN 1 AND 10),
    state        TEXT NOT NULL CHECK (state = 'active' OR state = 'suspended' OR state = 'stopped'),
    changed_by   TEXT NOT NULL CHECK (changed_by <> ''),
    changed_ms   INTEGER NOT NULL,
    why          TEXT NOT NULL,
    created_ms   INTEGER NOT NULL
) STRICT;
CREATE INDEX agreement_due ON agreement (next_due) WHERE state = 'active';

-- One due date, one run, one payment. payment: the present one; a person may have asked for another after the tries
-- of the first were used up. No payment: the date passed while nobody charged. now_after: after so many declines
-- somebody wants it tried at once.
CREATE TABLE agreement_run (
    agreement  TEXT NOT NULL REFERENCES agreement (id),
    due        TEXT NOT NULL CHECK (length(due) = 10),
    n          INTEGER NOT NULL DEFAULT 0 CHECK (n >= 0),
    payment    TEXT UNIQUE REFERENCES payment (id),
    now_after  INTEGER,
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (agreement, due)
) STRICT;

-- Numbered attempts at the processor; at most one of a payment not provably dead.
CREATE TABLE attempt (
    payment       TEXT NOT NULL REFERENCES card_payment (payment),
    n             INTEGER NOT NULL CHECK (n > 0),
    key           TEXT NOT NULL UNIQUE,
    stan          INTEGER NOT NULL,
    rrn           TEXT NOT NULL UNIQUE,
    deferred      INTEGER NOT NULL CHECK (deferred IN (0, 1)),
    state         TEXT NOT NULL CHECK (state = 'prepared' OR state = 'announced' OR state = 'in_doubt' OR state = 'approved' OR state = 'declined' OR state = 'reversing' OR state = 'dead' OR state = 'captured'),
    amount_minor  INTEGER NOT NULL,
    approved_minor INTEGER NOT NULL DEFAULT 0,
    auth_code     TEXT,
    response_code TEXT,
    reference     TEXT,
    token         TEXT,
    tries         INTEGER NOT NULL DEFAULT 0,
    lease_ms      INTEGER NOT NULL DEFAULT 0,
    fence         INTEGER NOT NULL DEFAULT 0,
    created_ms    INTEGER NOT NULL,
    PRIMARY KEY (payment, n)
) STRICT;
CREATE UNIQUE INDEX attempt_one_alive ON attempt (payment)
    WHERE state IN ('prepared', 'announced', 'in_doubt', 'approved', 'reversing', 'captured');

-- Reversals, captures and refunds of attempts. Their numbers are committed before anything is sent, and stay the same
-- however often it is sent. again: an approval came after the reversal, which is sent once more. subject: the refund that it carries out; empty otherwise.
-- looks: how often it is still looked whether the processor made two refunds of it; look_ms: not before.
CREATE TABLE follow_up (
    key          TEXT PRIMARY KEY,
    payment      TEXT NOT NULL,
    n            INTEGER NOT NULL,
    kind         TEXT NOT NULL CHECK (kind = 'capture' OR kind = 'reversal' OR kind = 'refund'),
    subject      TEXT NOT NULL,
    stan         INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    at_ms        INTEGER NOT NULL,
    sent         INTEGER NOT NULL DEFAULT 0 CHECK (sent IN (0, 1)),
    again        INTEGER NOT NULL DEFAULT 0 CHECK (again IN (0, 1)),
    looks        INTEGER NOT NULL DEFAULT 0 CHECK (looks >= 0),
    look_ms      INTEGER NOT NULL DEFAULT 0,
    FOREIGN KEY (payment, n) REFERENCES attempt (payment, n),
    UNIQUE (payment, n, kind, subject)
) STRICT;
CREATE INDEX follow_up_look ON follow_up (look_ms) WHERE looks > 0;

-- Money that goes back. payment is empty for a refund that is linked to none.
CREATE TABLE refund (
    id           TEXT PRIMARY KEY,
    device       TEXT NOT NULL,
    payment      TEXT REFERENCES payment (id),
    job          TEXT NOT NULL,
    visit        TEXT NOT NULL,
    tender       TEXT NOT NULL,
    currency     TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    state        TEXT NOT NULL CHECK (state = 'requested' OR state = 'refunded' OR state = 'refused'),
    at_ms        INTEGER NOT NULL,
    record       TEXT NOT NULL
) STRICT;
CREATE INDEX refund_by_payment ON refund (payment);
CREATE INDEX refund_by_job ON refund (job);

-- The office's side of a refund: who released or refused it, and how far it is. exception: the office began it, to deal
-- with that; no handheld has asked for it, and it is told of it only when the money goes back.
CREATE TABLE refund_work (
    refund       TEXT PRIMARY KEY,
    payment      TEXT,
    device       TEXT NOT NULL,
    job          TEXT NOT NULL,
    tender       TEXT NOT NULL,
    currency     TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    state        TEXT NOT NULL CHECK (state = 'waits' OR state = 'released' OR state = 'done' OR state = 'refused'),
    decided_by   TEXT,
    decided_ms   INTEGER,
    answer       TEXT,
    tries        INTEGER NOT NULL DEFAULT 0,
    next_ms      INTEGER NOT NULL,
    word_n       INTEGER NOT NULL DEFAULT 0,
    word         TEXT,
    record       TEXT NOT NULL,
    exception    TEXT REFERENCES exception (id),
    CHECK (state = 'waits' OR decided_by IS NOT NULL),
    CHECK (exception IS NULL OR (state <> 'waits' AND payment IS NOT NULL))
) STRICT;
CREATE INDEX refund_due ON refund_work (next_ms) WHERE state = 'released';
CREATE INDEX refund_work_of ON refund_work (payment);

-- Transfers that customers have announced, until somebody has seen the money.
CREATE TABLE transfer (
    payment    TEXT PRIMARY KEY REFERENCES payment (id),
    device     TEXT NOT NULL,
    word_n     INTEGER NOT NULL DEFAULT 0,
    word       TEXT,
    decided_by TEXT
) STRICT;

CREATE TABLE ledger_entry (
    id       TEXT PRIMARY KEY,
    device   TEXT NOT NULL,
    at_ms    INTEGER NOT NULL,
    customer TEXT,
    currency TEXT NOT NULL
) STRICT;

CREATE TABLE ledger_posting (
    entry   TEXT NOT NULL REFERENCES ledger_entry (id),
    account TEXT NOT NULL,
    minor   INTEGER NOT NULL CHECK (minor <> 0),
    PRIMARY KEY (entry, account)
) STRICT;

-- A cash shift. z: the number of its Z report, gapless per device and epoch. A row that is closed is never updated.
-- carried: cash from outside a shift that was in the drawer when it was opened. figures: the Z report as it was.
CREATE TABLE shift (
    id               TEXT PRIMARY KEY,
    device           TEXT NOT NULL,
    epoch            TEXT NOT NULL,
    currency         TEXT NOT NULL,
    state            TEXT NOT NULL CHECK (state = 'open' OR state = 'closed'),
    opened_ms        INTEGER NOT NULL,
    opened_seq       INTEGER NOT NULL,
    float_minor      INTEGER NOT NULL CHECK (float_minor >= 0),
    carried_minor    INTEGER NOT NULL,
    z                INTEGER CHECK (z > 0),
    number           TEXT,
    closed_ms        INTEGER,
    closed_seq       INTEGER CHECK (closed_seq > opened_seq),
    counted_minor    INTEGER CHECK (counted_minor >= 0),
    expected_minor   INTEGER,
    difference_minor INTEGER CHECK (difference_minor = counted_minor - expected_minor),
    unsent_rows      INTEGER CHECK (unsent_rows >= 0),
    figures          TEXT,
    CHECK ((state = 'open') = (z IS NULL)),
    CHECK ((z IS NULL) = (number IS NULL) AND (z IS NULL) = (closed_ms IS NULL) AND (z IS NULL) = (closed_seq IS NULL)
           AND (z IS NULL) = (counted_minor IS NULL) AND (z IS NULL) = (expected_minor IS NULL)
           AND (z IS NULL) = (difference_minor IS NULL) AND (z IS NULL) = (unsent_rows IS NULL)
           AND (z IS NULL) = (figures IS NULL)),
    UNIQUE (device, epoch, z)
) STRICT;
CREATE UNIQUE INDEX shift_one_open ON shift (device, epoch) WHERE state = 'open';
CREATE INDEX shift_by_place ON shift (device, epoch, opened_seq);

-- Cash that went into or out of the drawer beside the payments. Only added to.
CREATE TABLE cash_move (
    id           TEXT PRIMARY KEY,
    shift        TEXT NOT NULL REFERENCES shift (id),
    kind         TEXT NOT NULL CHECK (kind = 'paid_in' OR kind = 'paid_out' OR kind = 'drop'),
    currency     TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    reason       TEXT NOT NULL CHECK (reason <> ''),
    at_ms        INTEGER NOT NULL,
    seq          INTEGER NOT NULL
) STRICT;
CREATE INDEX cash_move_by_shift ON cash_move (shift, seq);

-- Which payments began in which shift, and which ledger entries came about in it.
CREATE TABLE shift_payment (
    payment TEXT PRIMARY KEY REFERENCES payment (id),
    shift   TEXT NOT NULL REFERENCES shift (id)
) STRICT;
CREATE INDEX shift_payment_by_shift ON shift_payment (shift);

CREATE TABLE shift_entry (
    entry TEXT PRIMARY KEY REFERENCES ledger_entry (id),
    shift TEXT NOT NULL REFERENCES shift (id)
) STRICT;
CREATE INDEX shift_entry_by_shift ON shift_entry (shift);

-- What became of a shift's payments after it was closed. Only added to. n: the payment's revision.
CREATE TABLE shift_late (
    payment      TEXT NOT NULL REFERENCES payment (id),
    n            INTEGER NOT NULL,
    shift        TEXT NOT NULL REFERENCES shift (id),
    state        TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    at_ms        INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    PRIMARY KEY (payment, n)
) STRICT;
CREATE INDEX shift_late_by_shift ON shift_late (shift, seq);

CREATE TABLE stock_move (
    row           TEXT NOT NULL,
    n             INTEGER NOT NULL,
    device        TEXT NOT NULL,
    item          TEXT NOT NULL,
    quantity      INTEGER NOT NULL CHECK (quantity <> 0),
    from_place    TEXT NOT NULL,
    to_place      TEXT NOT NULL,
    visit         TEXT NOT NULL,
    PRIMARY KEY (row, n)
) STRICT;

-- Sealed card data, until its payment has ended.
CREATE TABLE blob (
    sha256      TEXT PRIMARY KEY,
    device      TEXT NOT NULL,
    bytes       BLOB NOT NULL,
    received_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE exception (
    id           TEXT PRIMARY KEY,
    type         TEXT NOT NULL,
    subject      TEXT NOT NULL,
    device       TEXT,
    job          TEXT,
    amount_minor INTEGER NOT NULL,
    currency     TEXT NOT NULL,
    note         TEXT NOT NULL,
    opened_ms    INTEGER NOT NULL,
    deadline_ms  INTEGER,
    owner        TEXT,
    state        TEXT NOT NULL CHECK (state IN ('open', 'resolved')),
    resolved_ms  INTEGER,
    resolution   TEXT
) STRICT;
CREATE UNIQUE INDEX exception_once ON exception (type, subject) WHERE state = 'open';

-- What people decided about exceptions: one standing decision each. detail: a link, or what was found.
CREATE TABLE decision (
    id           TEXT PRIMARY KEY,
    exception    TEXT NOT NULL REFERENCES exception (id),
    payment      TEXT,
    job          TEXT,
    action       TEXT NOT NULL CHECK (action <> ''),
    amount_minor INTEGER NOT NULL CHECK (amount_minor >= 0),
    currency     TEXT NOT NULL CHECK (length(currency) = 3),
    reason       TEXT NOT NULL CHECK (length(reason) BETWEEN 3 AND 500),
    detail       TEXT NOT NULL,
    decided_by   TEXT NOT NULL CHECK (decided_by <> ''),
    at_ms        INTEGER NOT NULL,
    undone_by    TEXT,
    undone_ms    INTEGER,
    CHECK ((undone_by IS NULL) = (undone_ms IS NULL)),
    CHECK (undone_ms IS NULL OR action = 'recollect' OR action = 'invoice')
) STRICT;
CREATE UNIQUE INDEX decision_once ON decision (exception) WHERE undone_ms IS NULL;
CREATE INDEX decision_of_payment ON decision (payment, action);

-- The processor's settlement file, line by line. line: the processor's own id of it. payment: whom it was matched to.
-- chargeback: the cardholder disputes the payment, and the money is taken back; chargeback_reversed: it came again.
CREATE TABLE settlement_line (
    line         TEXT PRIMARY KEY CHECK (line <> ''),
    reference    TEXT NOT NULL,
    type         TEXT NOT NULL CHECK (type = 'sale' OR type = 'refund' OR type = 'payout' OR type = 'chargeback' OR type = 'chargeback_reversed'),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency     TEXT NOT NULL CHECK (length(currency) = 3),
    fee_minor    INTEGER NOT NULL CHECK (fee_minor >= 0),
    settled_on   TEXT NOT NULL CHECK (length(settled_on) = 10),
    batch        TEXT NOT NULL CHECK (batch <> ''),
    payout       TEXT NOT NULL,
    payment      TEXT,
    imported_ms  INTEGER NOT NULL
) STRICT;
CREATE INDEX settlement_of_payment ON settlement_line (payment);
CREATE INDEX settlement_of_batch ON settlement_line (batch);

-- The feed: what changed, by channel, in the order of the commits. The body is read when a page is built.
CREATE TABLE feed_head (
    channel TEXT PRIMARY KEY,
    n       INTEGER NOT NULL CHECK (n >= 0)
) STRICT;

CREATE TABLE feed_entry (
    channel TEXT NOT NULL,
    kind    TEXT NOT NULL,
    entity  TEXT NOT NULL,
    n       INTEGER NOT NULL,
    op      TEXT NOT NULL CHECK (op = 'put' OR op = 'remove' OR op = 'delete'),
    PRIMARY KEY (channel, kind, entity)
) STRICT;
CREATE UNIQUE INDEX feed_order ON feed_entry (channel, n);

-- Receipts by e-mail: the outbox. n is 1 for what a handheld asked for (request: its row); more follow by themselves
-- after a late word or a refund, then the one before is superseded. standing and said: what the message said, once sent.
-- look: something has happened to its invoice since, and nobody has looked whether another one is due.
CREATE TABLE ereceipt (
    request    TEXT NOT NULL,
    n          INTEGER NOT NULL CHECK (n > 0),
    device     TEXT NOT NULL,
    invoice    TEXT NOT NULL REFERENCES invoice (id),
    address    TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state = 'queued' OR state = 'sent' OR state = 'failed'),
    standing   TEXT CHECK (standing = 'due' OR standing = 'part_paid' OR standing = 'pending'
                           OR standing = 'unknown' OR standing = 'paid' OR standing = 'refund_waiting'
                           OR standing = 'part_refunded' OR standing = 'refunded'),
    said       TEXT,
    superseded INTEGER NOT NULL DEFAULT 0 CHECK (superseded IN (0, 1)),
    look       INTEGER NOT NULL DEFAULT 0 CHECK (look IN (0, 1)),
    asked_ms   INTEGER NOT NULL,
    sent_ms    INTEGER,
    tries      INTEGER NOT NULL DEFAULT 0,
    next_ms    INTEGER NOT NULL,
    error      TEXT,
    PRIMARY KEY (request, n),
    CHECK ((state = 'sent') = (sent_ms IS NOT NULL AND standing IS NOT NULL AND said IS NOT NULL))
) STRICT;
CREATE INDEX ereceipt_due ON ereceipt (next_ms) WHERE state = 'queued';
CREATE INDEX ereceipt_look ON ereceipt (request) WHERE look = 1;
CREATE INDEX ereceipt_by_invoice ON ereceipt (invoice);

-- People at the office's pages.
CREATE TABLE user (
    name     TEXT PRIMARY KEY,
    password TEXT NOT NULL,
    role     TEXT NOT NULL CHECK (role = 'dispatcher' OR role = 'reviewer' OR role = 'accountant' OR role = 'admin')
) STRICT;

CREATE TABLE session (
    token_sha256 TEXT PRIMARY KEY,
    user         TEXT NOT NULL REFERENCES user (name),
    csrf         TEXT NOT NULL,
    expires_ms   INTEGER NOT NULL
) STRICT;
