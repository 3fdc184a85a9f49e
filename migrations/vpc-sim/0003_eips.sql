-- EIPs: public addresses of the account, each on one private address at most.

-- Public addresses that an instance takes, with that of its own ENI: by its CPUs, until a seed says otherwise.
ALTER TABLE instance_type ADD COLUMN eips INTEGER NOT NULL DEFAULT 2 CHECK (eips >= 0);
UPDATE instance_type SET eips = min(cpu / 6, 8) + 2;

-- One accepted asynchronous call about EIPs. They have numbers of their own, apart from the tasks of ENIs.
CREATE TABLE eip_task (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  kind      TEXT NOT NULL CHECK (kind IN ('allocate', 'associate', 'disassociate', 'release')),
  will_fail INTEGER NOT NULL CHECK (will_fail IN (0, 1)),
  state     TEXT NOT NULL CHECK (state IN ('RUNNING', 'SUCCESS', 'FAILED')),
  due_at    INTEGER NOT NULL
) STRICT;
INSERT INTO sqlite_sequence (name, seq) VALUES ('eip_task', 61531420);
CREATE INDEX eip_task_due ON eip_task (state, due_at);

-- What an EIP is bound to is an address on an ENI, never one of the two alone.
CREATE UNIQUE INDEX ip_place ON ip (vpc_id, number, eni_id);

CREATE TABLE eip (
  seq            INTEGER PRIMARY KEY AUTOINCREMENT,
  id             TEXT NOT NULL UNIQUE,
  number         INTEGER NOT NULL UNIQUE,
  address        TEXT NOT NULL UNIQUE,
  name           TEXT NOT NULL,
  isp            TEXT NOT NULL CHECK (isp IN ('BGP', 'CMCC', 'CTCC', 'CUCC')),
  charge_type    TEXT NOT NULL,
  bandwidth      INTEGER NOT NULL CHECK (bandwidth >= 1),
  package_id     TEXT,
  is_arrears     INTEGER NOT NULL DEFAULT 0 CHECK (is_arrears IN (0, 1)),
  is_blocked     INTEGER NOT NULL DEFAULT 0 CHECK (is_blocked IN (0, 1)),
  -- BIND_ENI: bound to an address whose ENI is on no instance.
  state          TEXT NOT NULL CHECK (state IN ('CREATING', 'UNBIND', 'BINDING', 'BIND', 'BIND_ENI', 'UNBINDING', 'OFFLINING')),
  -- The task that is about it. Without one, an EIP that is UNBINDING goes with the task of its ENI.
  task_id        INTEGER REFERENCES eip_task,
  vpc_id         TEXT,
  private_number INTEGER,
  eni_id         TEXT,
  created_at     INTEGER NOT NULL,
  -- The ENI has the address, as long as the EIP is there.
  FOREIGN KEY (vpc_id, private_number, eni_id) REFERENCES ip (vpc_id, number, eni_id),
  CHECK ((vpc_id IS NULL) = (eni_id IS NULL) AND (private_number IS NULL) = (eni_id IS NULL)),
  CHECK ((eni_id IS NOT NULL) = (state IN ('BINDING', 'BIND', 'BIND_ENI', 'UNBINDING'))),
  CHECK (task_id IS NULL OR state IN ('CREATING', 'BINDING', 'UNBINDING', 'OFFLINING')),
  CHECK (task_id IS NOT NULL OR state NOT IN ('CREATING', 'BINDING', 'OFFLINING'))
) STRICT;
-- A private address has one EIP.
CREATE UNIQUE INDEX eip_place ON eip (vpc_id, private_number);
CREATE INDEX eip_eni ON eip (eni_id);
CREATE INDEX eip_task_id ON eip (task_id);

-- How many were applied for on each day (days of UTC+8 since 1970), for the daily quotas: releasing gives nothing back.
CREATE TABLE eip_day (
  day         INTEGER NOT NULL,
  single_line INTEGER NOT NULL CHECK (single_line IN (0, 1)),
  applied     INTEGER NOT NULL,
  PRIMARY KEY (day, single_line)
) STRICT;
