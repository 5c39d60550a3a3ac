-- The handheld's first schema.
--
-- Three kinds of tables: the journal and its blobs; the device's own facts, which follow from the journal; and what
-- the feed fills. The first two never have a foreign key into the third. Times are Unix milliseconds, money is
-- minor units.
-- A check against three or more words is written with OR: for IN, SQLite builds a table in memory at each statement.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- The only way out. epoch is the same for every row of this database.
CREATE TABLE journal (
    seq       INTEGER PRIMARY KEY CHECK (seq > 0),
    epoch     TEXT NOT NULL,
    id        TEXT NOT NULL UNIQUE,
    kind      TEXT NOT NULL,
    v         INTEGER NOT NULL,
    subjects  TEXT NOT NULL,
    at_ms     INTEGER NOT NULL,
    boot      TEXT NOT NULL,
    mono_ms   INTEGER NOT NULL,
    offset_ms INTEGER,
    actor     TEXT NOT NULL,
    body      TEXT NOT NULL,
    hash      BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

-- Card data sealed to the office, by SHA-256, until it is not needed.
CREATE TABLE blob (
    sha256  TEXT PRIMARY KEY,
    payment TEXT NOT NULL,
    bytes   BLOB NOT NULL
) STRICT;

-- The device's own facts: the same tables as in the office, so that one piece of SQL serves both.
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

CREATE TABLE document_counter (
    series TEXT PRIMARY KEY,
    last   INTEGER NOT NULL CHECK (last >= 0)
) STRICT;

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

-- covers and promises: what of it counts for the invoice, certain and pending; tips and the like do not.
CREATE TABLE payment (
    id             TEXT PRIMARY KEY,
    device         TEXT NOT NULL,
    invoice        TEXT NOT NULL REFERENCES invoice (id),
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
CREATE INDEX payment_by_state ON payment (state);
CREATE INDEX payment_by_deposit ON payment (deposit) WHERE deposit IS NOT NULL;

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
    row        TEXT NOT NULL,
    n          INTEGER NOT NULL,
    device     TEXT NOT NULL,
    item       TEXT NOT NULL,
    quantity   INTEGER NOT NULL CHECK (quantity <> 0),
    from_place TEXT NOT NULL,
    to_place   TEXT NOT NULL,
    visit      TEXT NOT NULL,
    PRIMARY KEY (row, n)
) STRICT;
CREATE INDEX stock_by_item ON stock_move (item);

-- Every sheet of every receipt. An edition says something else than the one before; said is a digest of it.
CREATE TABLE receipt_print (
    invoice  TEXT NOT NULL,
    party    TEXT NOT NULL CHECK (party IN ('customer', 'merchant')),
    edition  INTEGER NOT NULL CHECK (edition > 0),
    copy     INTEGER NOT NULL CHECK (copy > 0),
    state    TEXT NOT NULL CHECK (state = 'queued' OR state = 'confirmed' OR state = 'sent_unconfirmed'
                                  OR state = 'interrupted' OR state = 'refused'),
    standing TEXT NOT NULL CHECK (standing = 'due' OR standing = 'part_paid' OR standing = 'pending'
                                  OR standing = 'unknown' OR standing = 'paid' OR standing = 'refund_waiting'
                                  OR standing = 'part_refunded' OR standing = 'refunded'),
    said     TEXT NOT NULL,
    at_ms    INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    PRIMARY KEY (invoice, party, edition, copy)
) STRICT;

-- The drawer opens once for a cash payment.
CREATE TABLE drawer_kick (
    payment TEXT PRIMARY KEY
) STRICT;

-- What the feed fills. n is the entity's place in its channel.
CREATE TABLE feed_cursor (
    channel TEXT PRIMARY KEY,
    n       INTEGER NOT NULL
) STRICT;

CREATE TABLE feed_job (
    id              TEXT PRIMARY KEY,
    visit           TEXT NOT NULL,
    window_start_ms INTEGER NOT NULL,
    hidden          INTEGER NOT NULL CHECK (hidden IN (0, 1)),
    record          TEXT NOT NULL
) STRICT;
CREATE INDEX feed_job_by_start ON feed_job (window_start_ms);

CREATE TABLE feed_customer (
    id     TEXT PRIMARY KEY,
    record TEXT NOT NULL
) STRICT;

CREATE TABLE feed_site (
    id     TEXT PRIMARY KEY,
    record TEXT NOT NULL
) STRICT;

CREATE TABLE feed_equipment (
    id     TEXT PRIMARY KEY,
    site   TEXT NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX feed_equipment_by_site ON feed_equipment (site);

CREATE TABLE feed_price (
    id     TEXT PRIMARY KEY,
    search TEXT NOT NULL,
    record TEXT NOT NULL
) STRICT;

-- The office's words on payments; seen once the device has done what follows from them.
CREATE TABLE feed_outcome (
    payment TEXT PRIMARY KEY,
    n       INTEGER NOT NULL,
    state   TEXT NOT NULL,
    seen    INTEGER NOT NULL CHECK (seen IN (0, 1)),
    record  TEXT NOT NULL
) STRICT;
CREATE INDEX feed_outcome_unseen ON feed_outcome (seen) WHERE seen = 0;

-- The office's words on refunds.
CREATE TABLE feed_refund (
    refund TEXT PRIMARY KEY,
    n      INTEGER NOT NULL,
    seen   INTEGER NOT NULL CHECK (seen IN (0, 1)),
    record TEXT NOT NULL
) STRICT;

-- What customers have paid ahead, as the office sees it: on any handheld.
CREATE TABLE feed_deposit (
    id       TEXT PRIMARY KEY,
    customer TEXT NOT NULL,
    at_ms    INTEGER NOT NULL,
    record   TEXT NOT NULL
) STRICT;
CREATE INDEX feed_deposit_by_customer ON feed_deposit (customer, at_ms);

-- Payments that the office asks to collect again.
CREATE TABLE feed_collect_again (
    payment TEXT PRIMARY KEY,
    job     TEXT NOT NULL,
    record  TEXT NOT NULL
) STRICT;
CREATE INDEX feed_collect_again_by_job ON feed_collect_again (job);

CREATE TABLE feed_document (
    name   TEXT PRIMARY KEY,
    record TEXT NOT NULL
) STRICT;
