-- What ledger, cloud and Kubernetes disagree about: shown until they agree again or a person decides; never acted on after one view.
CREATE TABLE quarantine (
  kind TEXT NOT NULL,
  -- The ENI or the address it is about.
  subject TEXT NOT NULL,
  node TEXT,
  -- What was seen. Another sight is another suspicion: its reads begin anew.
  reason TEXT NOT NULL,
  remedy TEXT NOT NULL,
  first_seen INTEGER NOT NULL,
  -- The last read that counts: one that came longer after the one before than the cloud's answers may lag.
  last_seen INTEGER NOT NULL,
  reads INTEGER NOT NULL CHECK (reads >= 1),
  -- Confirmed, and not ours to settle: nothing is handed out of it, nothing is done to it.
  held INTEGER NOT NULL CHECK (held IN (0, 1)),
  PRIMARY KEY (kind, subject),
  CHECK (last_seen >= first_seen)
) STRICT, WITHOUT ROWID;

CREATE INDEX quarantine_held ON quarantine (subject) WHERE held = 1;

-- It has been on its node: the NEC shows it until it is given up, also while it is put back after somebody took it off.
ALTER TABLE eni ADD COLUMN served INTEGER NOT NULL DEFAULT 0 CHECK (served IN (0, 1));
UPDATE eni SET served = 1 WHERE state = 'attached';

-- When something was last done to an ENI: an older view of it is no view.
CREATE INDEX intent_of_eni ON intent (eni, changed_at);

-- Which file this is: a copy of the ledger that somebody else went on writing is another one.
INSERT INTO meta (key, value) VALUES ('ledger-id', lower(hex(randomblob(16))));

-- A ledger without it knows nothing yet: it is rebuilt from the cloud and Kubernetes before it serves.
INSERT INTO meta (key, value) SELECT 'complete', 'yes' WHERE EXISTS (SELECT 1 FROM node);

CREATE VIEW v_quarantine AS
SELECT kind, subject, coalesce(node, '') AS node, CASE WHEN held THEN 'held' WHEN reads > 1 THEN 'confirmed' ELSE 'suspected' END AS state,
  reads, datetime(first_seen / 1000, 'unixepoch') AS first_seen, datetime(last_seen / 1000, 'unixepoch') AS last_seen, reason, remedy
FROM quarantine ORDER BY kind, subject;
