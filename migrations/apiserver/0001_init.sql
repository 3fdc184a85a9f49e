-- The embedded API server: objects as JSON under one sequence of revisions, and the recent past of each.

-- One row: the newest revision, and the newest one whose change is no longer in the log.
CREATE TABLE sequence (
  id        INTEGER PRIMARY KEY CHECK (id = 1),
  revision  INTEGER NOT NULL CHECK (revision >= 1),
  compacted INTEGER NOT NULL CHECK (compacted BETWEEN 0 AND revision)
) STRICT;
INSERT INTO sequence VALUES (1, 1, 0);

-- The newest state of each object; body is its JSON without resourceVersion, which is the revision.
CREATE TABLE object (
  api_group TEXT    NOT NULL,
  resource  TEXT    NOT NULL,
  namespace TEXT    NOT NULL, -- '' for what lives in no namespace
  name      TEXT    NOT NULL CHECK (name <> ''),
  revision  INTEGER NOT NULL UNIQUE,
  body      TEXT    NOT NULL CHECK (json_valid(body)),
  PRIMARY KEY (api_group, resource, namespace, name)
) STRICT, WITHOUT ROWID;

-- What happened, newest last. With `previous` the state at any revision not yet compacted can be told.
CREATE TABLE change (
  revision          INTEGER PRIMARY KEY,
  type              TEXT NOT NULL CHECK (type IN ('ADDED', 'MODIFIED', 'DELETED')),
  api_group         TEXT NOT NULL,
  resource          TEXT NOT NULL,
  namespace         TEXT NOT NULL,
  name              TEXT NOT NULL,
  body              TEXT NOT NULL,
  previous          TEXT,
  previous_revision INTEGER,
  CHECK ((type = 'ADDED') = (previous IS NULL)),
  CHECK ((previous IS NULL) = (previous_revision IS NULL))
) STRICT;
CREATE INDEX change_by_key ON change (api_group, resource, namespace, name, revision);

-- For people: sqlite3 apiserver.db 'select * from v_object'
CREATE VIEW v_object AS
SELECT resource || iif(api_group = '', '', '.' || api_group) AS resource, namespace, name, revision,
       body ->> '$.metadata.creationTimestamp' AS created, body ->> '$.metadata.uid' AS uid
FROM object ORDER BY 1, 2, 3;
