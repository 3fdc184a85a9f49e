-- The leader's ledger: what is bound where, what was asked of the cloud, and who had each address when.
-- Times are milliseconds since 1970; the v_ views show them as dates.

CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE node (
  name TEXT PRIMARY KEY,
  uid TEXT NOT NULL,
  instance_id TEXT NOT NULL,
  zone TEXT NOT NULL,
  phase TEXT NOT NULL CHECK (phase IN ('active', 'leaving')),
  max_enis INTEGER NOT NULL CHECK (max_enis >= 0),
  ips_per_eni INTEGER NOT NULL CHECK (ips_per_eni >= 0),
  -- Fixed when the node is first seen: a changed default is for later nodes (P9).
  min_warm INTEGER NOT NULL CHECK (min_warm >= 0),
  max_warm INTEGER NOT NULL CHECK (max_warm >= min_warm),
  added_at INTEGER NOT NULL
) STRICT;

-- One CVM is one node; a node that leaves may overlap with the next one on the same CVM.
CREATE UNIQUE INDEX node_of_instance ON node (instance_id) WHERE phase = 'active';

CREATE TABLE eni (
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT UNIQUE,
  node TEXT NOT NULL REFERENCES node (name),
  slot INTEGER NOT NULL CHECK (slot >= 1),
  subnet_id TEXT NOT NULL,
  subnet_cidr TEXT NOT NULL,
  mac TEXT UNIQUE,
  primary_ip TEXT UNIQUE,
  state TEXT NOT NULL CHECK (state IN ('creating', 'available', 'attaching', 'attached', 'detaching', 'deleting')),
  -- Once 'delete', an ENI never serves again.
  goal TEXT NOT NULL DEFAULT 'serve' CHECK (goal IN ('serve', 'delete')),
  expected_ips INTEGER NOT NULL DEFAULT 0,
  changed_at INTEGER NOT NULL,
  -- Two ENIs never take the same place on a node, nor more places than it has.
  UNIQUE (node, slot),
  CHECK (state = 'creating' OR (id IS NOT NULL AND mac IS NOT NULL AND primary_ip IS NOT NULL))
) STRICT;

CREATE TABLE ip (
  -- An address has one place: this key is why two ENIs can never both have it.
  address TEXT PRIMARY KEY,
  -- The address as a number, so that lists are in its order.
  number INTEGER NOT NULL GENERATED ALWAYS AS (
    json_extract('[' || replace(address, '.', ',') || ']', '$[0]') * 16777216
    + json_extract('[' || replace(address, '.', ',') || ']', '$[1]') * 65536
    + json_extract('[' || replace(address, '.', ',') || ']', '$[2]') * 256
    + json_extract('[' || replace(address, '.', ',') || ']', '$[3]')
  ) VIRTUAL,
  eni INTEGER NOT NULL REFERENCES eni (key),
  state TEXT NOT NULL CHECK (state IN ('bound', 'unassigning')),
  -- Rises with every binding, so that a late return never touches a newer one.
  "grant" INTEGER NOT NULL UNIQUE,
  changed_at INTEGER NOT NULL,
  -- The pod that shows this address in its status; the node's own database has the exact owner.
  pod_namespace TEXT,
  pod_name TEXT,
  pod_uid TEXT,
  pod_since INTEGER,
  CHECK ((pod_uid IS NULL) = (pod_name IS NULL) AND (pod_uid IS NULL) = (pod_namespace IS NULL))
) STRICT;

CREATE INDEX ip_of_eni ON ip (eni);

-- No pod has two addresses.
CREATE UNIQUE INDEX ip_of_pod ON ip (pod_uid) WHERE pod_uid IS NOT NULL;

-- Every outside mutation: stored before it is sent, resolved in the transaction that applies its result.
CREATE TABLE intent (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('create', 'attach', 'assign', 'unassign', 'detach', 'delete')),
  node TEXT NOT NULL,
  instance_id TEXT NOT NULL,
  eni INTEGER NOT NULL,
  eni_id TEXT,
  subnet_id TEXT NOT NULL,
  slot INTEGER NOT NULL,
  count INTEGER NOT NULL DEFAULT 0,
  addresses TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(addresses)),
  token TEXT NOT NULL UNIQUE,
  reason TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('recorded', 'accepted', 'done', 'failed')),
  -- Times it was sent again.
  resent INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  missing_since INTEGER,
  error TEXT
) STRICT;

-- One mutation of an ENI at a time: the cloud refuses a second one, and settling stays unambiguous.
CREATE UNIQUE INDEX intent_open_per_eni ON intent (eni) WHERE state IN ('recorded', 'accepted');
CREATE INDEX intent_changed ON intent (changed_at) WHERE state IN ('done', 'failed');

CREATE TABLE ip_history (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  address TEXT NOT NULL,
  event TEXT NOT NULL,
  node TEXT NOT NULL,
  eni_id TEXT,
  pod_namespace TEXT,
  pod_name TEXT,
  pod_uid TEXT,
  reason TEXT NOT NULL
) STRICT;

CREATE INDEX ip_history_of_address ON ip_history (address, seq);
CREATE INDEX ip_history_by_time ON ip_history (at);

CREATE VIEW v_ip AS
SELECT ip.address, ip.state, eni.node, eni.id AS eni, eni.slot,
  CASE WHEN ip.pod_uid IS NULL THEN '' ELSE ip.pod_namespace || '/' || ip.pod_name END AS pod,
  coalesce(datetime(ip.pod_since / 1000, 'unixepoch'), '') AS pod_since,
  datetime(ip.changed_at / 1000, 'unixepoch') AS changed, ip."grant"
FROM ip JOIN eni ON eni.key = ip.eni
ORDER BY eni.node, eni.slot, ip.number;

CREATE VIEW v_eni AS
SELECT coalesce(eni.id, '(creating)') AS eni, eni.node, eni.slot, eni.state, eni.goal, eni.subnet_id AS subnet,
  coalesce(eni.primary_ip, '') AS primary_ip, coalesce(eni.mac, '') AS mac,
  (SELECT count(*) FROM ip WHERE ip.eni = eni.key) AS ips,
  (SELECT count(*) FROM ip WHERE ip.eni = eni.key AND ip.pod_uid IS NOT NULL) AS in_use,
  datetime(eni.changed_at / 1000, 'unixepoch') AS changed
FROM eni ORDER BY eni.node, eni.slot;

CREATE VIEW v_node AS
SELECT node.name AS node, node.phase, node.instance_id AS instance, node.zone,
  (SELECT count(*) FROM eni WHERE eni.node = node.name) AS enis, node.max_enis,
  count(ip.address) AS bound, count(ip.pod_uid) AS in_use, count(ip.address) - count(ip.pod_uid) AS idle,
  node.max_enis * node.ips_per_eni AS max_bindable, node.min_warm, node.max_warm
FROM node LEFT JOIN eni ON eni.node = node.name LEFT JOIN ip ON ip.eni = eni.key AND ip.state = 'bound'
GROUP BY node.name ORDER BY node.name;

CREATE VIEW v_intent AS
SELECT id, kind, state, node, coalesce(eni_id, '') AS eni, count, addresses, resent,
  datetime(created_at / 1000, 'unixepoch') AS created, datetime(changed_at / 1000, 'unixepoch') AS changed,
  reason, coalesce(error, '') AS error
FROM intent ORDER BY id DESC;

CREATE VIEW v_history AS
SELECT datetime(at / 1000, 'unixepoch') AS time, address, event, node, coalesce(eni_id, '') AS eni,
  CASE WHEN pod_uid IS NULL THEN '' ELSE pod_namespace || '/' || pod_name END AS pod, reason
FROM ip_history ORDER BY seq DESC;
