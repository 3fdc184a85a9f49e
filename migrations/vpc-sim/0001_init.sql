-- Everything the simulated cloud knows. Rowid tables throughout: the journal of stale reads names rows by rowid.

-- One row per JSON document of settings: faults, limits.
CREATE TABLE setting (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL CHECK (json_valid(value))
) STRICT;

CREATE TABLE vpc (
  id            TEXT PRIMARY KEY,
  name          TEXT NOT NULL,
  cidr          TEXT NOT NULL,
  default_group TEXT NOT NULL,
  created_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE subnet (
  id           TEXT PRIMARY KEY,
  vpc_id       TEXT NOT NULL REFERENCES vpc,
  name         TEXT NOT NULL,
  cidr         TEXT NOT NULL,
  first_number INTEGER NOT NULL,
  size         INTEGER NOT NULL CHECK (size >= 8),
  zone         TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  UNIQUE (vpc_id, cidr)
) STRICT;

-- Quotas as the API counts them: the primary ENI and each ENI's primary address included.
CREATE TABLE instance_type (
  name        TEXT PRIMARY KEY,
  cpu         INTEGER NOT NULL,
  memory_gb   INTEGER NOT NULL,
  enis        INTEGER NOT NULL CHECK (enis >= 1),
  ips_per_eni INTEGER NOT NULL CHECK (ips_per_eni >= 1)
) STRICT;

CREATE TABLE instance (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  uuid       TEXT NOT NULL UNIQUE,
  type       TEXT NOT NULL REFERENCES instance_type,
  zone       TEXT NOT NULL,
  vpc_id     TEXT NOT NULL REFERENCES vpc,
  subnet_id  TEXT NOT NULL REFERENCES subnet,
  state      TEXT NOT NULL CHECK (state IN
    ('PENDING', 'LAUNCH_FAILED', 'RUNNING', 'STOPPED', 'STARTING', 'STOPPING', 'REBOOTING', 'SHUTDOWN', 'TERMINATING')),
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE eni (
  seq          INTEGER PRIMARY KEY AUTOINCREMENT,
  id           TEXT NOT NULL UNIQUE,
  vpc_id       TEXT NOT NULL REFERENCES vpc,
  subnet_id    TEXT NOT NULL REFERENCES subnet,
  name         TEXT NOT NULL,
  description  TEXT NOT NULL,
  mac          TEXT NOT NULL UNIQUE CHECK (mac = upper(mac)),
  is_primary   INTEGER NOT NULL CHECK (is_primary IN (0, 1)),
  state        TEXT NOT NULL CHECK (state IN ('PENDING', 'AVAILABLE', 'ATTACHING', 'DETACHING', 'DELETING')),
  qos          TEXT NOT NULL,
  groups       TEXT NOT NULL CHECK (json_valid(groups)),
  -- Set from the moment an attachment is accepted until a detachment is done: the place on the instance is taken meanwhile.
  instance_id  TEXT REFERENCES instance,
  device_index INTEGER,
  attached_at  INTEGER,
  attach_type  INTEGER NOT NULL DEFAULT 0,
  created_at   INTEGER NOT NULL,
  CHECK ((instance_id IS NULL) = (device_index IS NULL)),
  CHECK (instance_id IS NOT NULL OR state NOT IN ('ATTACHING', 'DETACHING')),
  CHECK (is_primary = 0 OR device_index = 0)
) STRICT;
CREATE UNIQUE INDEX eni_device ON eni (instance_id, device_index) WHERE instance_id IS NOT NULL;
CREATE INDEX eni_vpc ON eni (vpc_id, is_primary);
CREATE INDEX eni_subnet ON eni (subnet_id);

-- An address has one owner in its VPC.
CREATE TABLE ip (
  vpc_id      TEXT NOT NULL REFERENCES vpc,
  number      INTEGER NOT NULL,
  address     TEXT NOT NULL,
  subnet_id   TEXT NOT NULL REFERENCES subnet,
  eni_id      TEXT NOT NULL REFERENCES eni (id),
  is_primary  INTEGER NOT NULL CHECK (is_primary IN (0, 1)),
  state       TEXT NOT NULL CHECK (state IN ('PENDING', 'AVAILABLE', 'MIGRATING', 'DELETING')),
  description TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (vpc_id, number),
  CHECK (is_primary = 0 OR state IN ('PENDING', 'AVAILABLE'))
) STRICT;
CREATE INDEX ip_eni ON ip (eni_id);
CREATE INDEX ip_subnet ON ip (subnet_id);
CREATE UNIQUE INDEX ip_one_primary ON ip (eni_id) WHERE is_primary = 1;

CREATE TABLE tag (
  resource TEXT NOT NULL,
  key      TEXT NOT NULL,
  value    TEXT NOT NULL,
  PRIMARY KEY (resource, key)
) STRICT;
CREATE INDEX tag_key ON tag (key, value);

-- One accepted asynchronous call; `id` is its RequestId. Running ones end at due_at, in the way decided when they were accepted.
CREATE TABLE task (
  seq       INTEGER PRIMARY KEY AUTOINCREMENT,
  id        TEXT NOT NULL UNIQUE,
  kind      TEXT NOT NULL CHECK (kind IN
    ('create', 'create-attach', 'attach', 'detach', 'delete', 'assign', 'unassign', 'migrate')),
  eni_id    TEXT NOT NULL,
  target_id TEXT,
  addresses TEXT NOT NULL CHECK (json_valid(addresses)),
  will_fail INTEGER NOT NULL CHECK (will_fail IN (0, 1)),
  state     TEXT NOT NULL CHECK (state IN ('RUNNING', 'SUCCESS', 'FAILED')),
  due_at    INTEGER NOT NULL,
  CHECK ((kind = 'migrate') = (target_id IS NOT NULL))
) STRICT;
CREATE INDEX task_due ON task (state, due_at);
-- One task at a time per ENI.
CREATE UNIQUE INDEX task_eni ON task (eni_id) WHERE state = 'RUNNING';
CREATE UNIQUE INDEX task_target ON task (target_id) WHERE state = 'RUNNING' AND target_id IS NOT NULL;

-- What a ClientToken was used for, and the answer that it brings again.
CREATE TABLE client_token (
  action  TEXT NOT NULL,
  token   TEXT NOT NULL,
  params  TEXT NOT NULL,
  answer  TEXT NOT NULL CHECK (json_valid(answer)),
  used_at INTEGER NOT NULL,
  PRIMARY KEY (action, token)
) STRICT;
CREATE INDEX client_token_age ON client_token (used_at);

-- Keys that may sign; temporary ones (of a role) have a token and an end.
CREATE TABLE credential (
  secret_id  TEXT PRIMARY KEY,
  secret_key TEXT NOT NULL,
  token      TEXT,
  role       TEXT,
  expires_at INTEGER,
  CHECK ((token IS NULL) = (expires_at IS NULL))
) STRICT;

-- The past, while describes are stale: the time of the current change, and the statements that undo each change.
CREATE TABLE moment (at INTEGER NOT NULL) STRICT;
INSERT INTO moment VALUES (0);
CREATE TABLE undo (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at  INTEGER NOT NULL,
  sql TEXT NOT NULL
) STRICT;
