-- An address goes from one ENI to another in one step: an intent about two ENIs. A column's check cannot be changed, so the table is made anew.
DROP VIEW v_intent;
CREATE TABLE intent_of_any_kind (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('create', 'attach', 'assign', 'unassign', 'migrate', 'detach', 'delete')),
  node TEXT NOT NULL,
  instance_id TEXT NOT NULL,
  -- Of a migration: where the address goes.
  eni INTEGER NOT NULL,
  eni_id TEXT,
  -- Of a migration: where it comes from.
  from_eni INTEGER,
  from_eni_id TEXT,
  from_node TEXT,
  subnet_id TEXT NOT NULL,
  slot INTEGER NOT NULL,
  mode TEXT NOT NULL DEFAULT 'shared' CHECK (mode IN ('shared', 'exclusive')),
  count INTEGER NOT NULL DEFAULT 0,
  addresses TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(addresses)),
  exact INTEGER NOT NULL DEFAULT 0 CHECK (exact IN (0, 1)),
  token TEXT NOT NULL UNIQUE,
  reason TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('recorded', 'accepted', 'done', 'failed')),
  -- Times it was sent again.
  resent INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  missing_since INTEGER,
  -- Of what is taken away: since when all of it has been there.
  there_since INTEGER,
  error TEXT,
  CHECK ((kind = 'migrate') = (from_eni IS NOT NULL AND from_eni_id IS NOT NULL AND from_node IS NOT NULL)),
  CHECK (from_eni IS NULL OR from_eni <> eni)
) STRICT;
INSERT INTO intent_of_any_kind (id, kind, node, instance_id, eni, eni_id, subnet_id, slot, mode, count, addresses, exact, token, reason,
    state, resent, created_at, changed_at, missing_since, error)
  SELECT id, kind, node, instance_id, eni, eni_id, subnet_id, slot, mode, count, addresses, exact, token, reason,
    state, resent, created_at, changed_at, missing_since, error FROM intent;
DROP TABLE intent;
ALTER TABLE intent_of_any_kind RENAME TO intent;

-- One mutation of an ENI at a time: the cloud refuses a second one, and settling stays unambiguous.
CREATE UNIQUE INDEX intent_open_per_eni ON intent (eni) WHERE state IN ('recorded', 'accepted');
CREATE UNIQUE INDEX intent_open_per_source ON intent (from_eni) WHERE state IN ('recorded', 'accepted') AND from_eni IS NOT NULL;
CREATE TRIGGER intent_one_per_eni BEFORE INSERT ON intent
WHEN EXISTS (SELECT 1 FROM intent WHERE state IN ('recorded', 'accepted')
  AND (from_eni = NEW.eni OR (NEW.from_eni IS NOT NULL AND eni = NEW.from_eni)))
BEGIN
  SELECT RAISE(ABORT, 'one thing is asked of an ENI at a time');
END;
CREATE INDEX intent_changed ON intent (changed_at) WHERE state IN ('done', 'failed');
CREATE INDEX intent_of_eni ON intent (eni, changed_at);
CREATE INDEX intent_of_source ON intent (from_eni, changed_at) WHERE from_eni IS NOT NULL;

CREATE VIEW v_intent AS
SELECT id, kind, state, node, coalesce(eni_id, '') AS eni, coalesce(from_eni_id, '') AS from_eni, count, addresses, resent,
  datetime(created_at / 1000, 'unixepoch') AS created, datetime(changed_at / 1000, 'unixepoch') AS changed,
  reason, coalesce(error, '') AS error
FROM intent ORDER BY id DESC;
