-- Who wants or has an address: a row for each pod that counts, and for each static address that is kept for a pod of that name.
CREATE TABLE claim (
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  namespace TEXT NOT NULL,
  -- The pod's.
  name TEXT NOT NULL,
  -- Of the claim, and of its address, as objects of Kubernetes.
  uid TEXT NOT NULL UNIQUE,
  ip_uid TEXT NOT NULL UNIQUE,
  -- 'Never' deleted with its pod: static.
  policy TEXT NOT NULL CHECK (policy IN ('Immediate', 'Never')),
  mode TEXT NOT NULL CHECK (mode IN ('shared', 'exclusive')),
  -- What may follow what: internal/ipam/claim.ts.
  phase TEXT NOT NULL CHECK (phase IN ('Pending', 'Attaching', 'Bound', 'Retained', 'Releasing')),
  -- Rises with each pod that takes the claim: what is said of an earlier one counts no more.
  generation INTEGER NOT NULL DEFAULT 1 CHECK (generation >= 1),
  -- The pod that has the claim now, and the node it is on; none while the address is only kept.
  pod_uid TEXT UNIQUE,
  node TEXT,
  -- No address is promised twice.
  address TEXT UNIQUE,
  -- The ENI that carries the address, as far as the cloud has one.
  eni_id TEXT,
  subnet_id TEXT,
  zone TEXT,
  -- What keeps others of the VPC from taking a static address: a reservation's id; none: it stays on an ENI.
  reservation TEXT UNIQUE,
  -- Names the call that makes the reservation, from before it is sent: what it made is found by it, and never made twice.
  reserve_token TEXT UNIQUE,
  -- What the pod's annotations ask for.
  nominated_address TEXT,
  nominated_subnets TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(nominated_subnets)),
  -- Milliseconds after its pod that it is kept; none: for ever.
  expire_after INTEGER CHECK (expire_after >= 300000),
  retained_at INTEGER,
  -- By the ledger's own clock (meta 'expiry-clock'), which no clock that is set moves.
  expires_at INTEGER,
  -- The topmost owner of the pod, {"apiVersion","kind","name","uid"}, when the claim goes with it (S7).
  owner TEXT CHECK (owner IS NULL OR json_valid(owner)),
  -- Why it is not yet as it should be, for people.
  reason TEXT NOT NULL DEFAULT '',
  message TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  -- Of its last change: what Kubernetes calls the resource version.
  version INTEGER NOT NULL DEFAULT 0,
  UNIQUE (namespace, name),
  -- A pod has it from Pending to Bound, and then only; where the pod is is known.
  CHECK ((pod_uid IS NOT NULL) = (phase IN ('Pending', 'Attaching', 'Bound'))),
  CHECK ((pod_uid IS NULL) = (node IS NULL)),
  CHECK (address IS NOT NULL OR phase IN ('Pending', 'Releasing')),
  -- Only static ones outlive their pods, and only addresses of shared ENIs are static.
  CHECK (policy = 'Never' OR phase IN ('Pending', 'Attaching', 'Bound')),
  CHECK (policy <> 'Never' OR mode = 'shared'),
  CHECK (retained_at IS NULL OR phase IN ('Retained', 'Releasing')),
  CHECK (reservation IS NULL OR (policy = 'Never' AND address IS NOT NULL)),
  CHECK (expires_at IS NULL OR phase = 'Retained')
) STRICT;

CREATE INDEX claim_expiring ON claim (expires_at) WHERE expires_at IS NOT NULL;
-- What passes is looked at again and again, beside very many that stay.
CREATE INDEX claim_of_phase ON claim (phase, namespace, name);
-- Beside pods of the pool, of which there may be far more.
CREATE INDEX claim_static ON claim (reservation) WHERE policy = 'Never';
CREATE INDEX claim_of_node ON claim (node) WHERE node IS NOT NULL;
CREATE INDEX claim_of_owner ON claim (json_extract(owner, '$.uid')) WHERE owner IS NOT NULL;

-- An assignment of exactly the addresses that are recorded with it, not of any.
ALTER TABLE intent ADD COLUMN exact INTEGER NOT NULL DEFAULT 0 CHECK (exact IN (0, 1));

-- Milliseconds that leaders have seen pass, whatever was done to their clocks, and when that was last compared; claims expire by it.
INSERT INTO meta (key, value) VALUES ('expiry-clock', '{}');

-- Every change of a claim, in order, with the row before and after: watches resume from it, lists are continued from it.
CREATE TABLE change (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  claim INTEGER NOT NULL,
  before TEXT CHECK (before IS NULL OR json_valid(before)),
  after TEXT CHECK (after IS NULL OR json_valid(after)),
  CHECK (before IS NOT NULL OR after IS NOT NULL)
) STRICT;

CREATE INDEX change_of_claim ON change (claim, seq);

CREATE TRIGGER claim_came AFTER INSERT ON claim
BEGIN
  INSERT INTO change (at, claim, after) SELECT NEW.changed_at, NEW.key, body FROM claim_json WHERE key = NEW.key;
  UPDATE claim SET version = (SELECT max(seq) FROM change) WHERE key = NEW.key;
END;
CREATE TRIGGER claim_changes BEFORE UPDATE OF policy, mode, phase, generation, pod_uid, node, address, eni_id, subnet_id, zone,
  reservation, nominated_address, nominated_subnets, expire_after, retained_at, expires_at, owner, reason, message ON claim
BEGIN
  INSERT INTO change (at, claim, before) SELECT NEW.changed_at, OLD.key, body FROM claim_json WHERE key = OLD.key;
END;
CREATE TRIGGER claim_changed AFTER UPDATE OF policy, mode, phase, generation, pod_uid, node, address, eni_id, subnet_id, zone,
  reservation, nominated_address, nominated_subnets, expire_after, retained_at, expires_at, owner, reason, message ON claim
BEGIN
  UPDATE change SET after = (SELECT body FROM claim_json WHERE key = NEW.key) WHERE seq = (SELECT max(seq) FROM change);
  UPDATE claim SET version = (SELECT max(seq) FROM change) WHERE key = NEW.key;
END;
CREATE TRIGGER claim_goes BEFORE DELETE ON claim
BEGIN
  INSERT INTO change (at, claim, before) SELECT OLD.changed_at, OLD.key, body FROM claim_json WHERE key = OLD.key;
END;

-- A claim as it is kept in changes. `version` is that before the change.
CREATE VIEW claim_json AS
SELECT key, json_object('key', key, 'namespace', namespace, 'name', name, 'uid', uid, 'ip_uid', ip_uid, 'policy', policy, 'mode', mode,
  'phase', phase, 'generation', generation, 'pod_uid', pod_uid, 'node', node, 'address', address, 'eni_id', eni_id, 'subnet_id', subnet_id,
  'zone', zone, 'reservation', reservation, 'nominated_address', nominated_address, 'nominated_subnets', nominated_subnets,
  'expire_after', expire_after, 'retained_at', retained_at, 'expires_at', expires_at, 'owner', owner, 'reason', reason,
  'message', message, 'created_at', created_at, 'changed_at', changed_at, 'version', version) AS body
FROM claim;

CREATE VIEW v_claim AS
SELECT namespace, name AS pod, phase, policy, coalesce(address, '') AS address, coalesce(node, '') AS node, coalesce(eni_id, '') AS eni,
  coalesce(subnet_id, '') AS subnet, coalesce(reservation, '') AS reservation, generation,
  coalesce(datetime(retained_at / 1000, 'unixepoch'), '') AS retained, datetime(created_at / 1000, 'unixepoch') AS created,
  coalesce(json_extract(owner, '$.kind') || '/' || json_extract(owner, '$.name'), '') AS owner, reason, message
FROM claim ORDER BY namespace, name;
