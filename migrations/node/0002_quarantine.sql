-- Pods that are found in the kernel alone: adopted when it is clear whose they are, in quarantine until then.

-- So that what is left of a sandbox that was let go is told from one that this database never had.
ALTER TABLE ip_history ADD COLUMN host_link TEXT;
CREATE INDEX ip_history_let_go ON ip_history (host_link) WHERE event = 'detached';

-- What kernel, leader and this database disagree about. Nothing of it is handed out, nothing of it is taken away on one view.
CREATE TABLE quarantine (
  -- 'pod-link': a host link of ours without a row in attachment; 'address': one in use that the leader does not publish so.
  kind TEXT NOT NULL CHECK (kind IN ('pod-link', 'address')),
  subject TEXT NOT NULL,
  -- The address that the link seems to have.
  address TEXT,
  reason TEXT NOT NULL,
  remedy TEXT NOT NULL,
  first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL CHECK (last_seen >= first_seen),
  reads INTEGER NOT NULL CHECK (reads >= 1),
  -- Since when the kernel does not show it: settled when a later look agrees.
  missing_since INTEGER,
  PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;

CREATE VIEW v_quarantine AS
SELECT kind, subject, coalesce(address, '') AS address, CASE WHEN missing_since IS NULL THEN 'held' ELSE 'going' END AS state,
  reads, datetime(first_seen / 1000, 'unixepoch') AS first_seen, datetime(last_seen / 1000, 'unixepoch') AS last_seen, reason, remedy
FROM quarantine ORDER BY kind, subject;
