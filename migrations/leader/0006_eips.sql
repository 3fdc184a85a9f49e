-- EIPs that the instance takes for pods: its own is not counted. 0: nobody has asked yet.
ALTER TABLE node ADD COLUMN quota_eips INTEGER NOT NULL DEFAULT 0;

-- Public addresses of pods: a row for each pod that asks for an EIP, and for each EIP that is kept for a pod of that name.
CREATE TABLE eip_claim (
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  namespace TEXT NOT NULL,
  -- The pod's.
  name TEXT NOT NULL,
  -- As an object of Kubernetes.
  uid TEXT NOT NULL UNIQUE,
  -- 'Never' deleted with its pod.
  policy TEXT NOT NULL CHECK (policy IN ('Immediate', 'Never')),
  -- What may follow what: internal/ipam/claim.ts.
  phase TEXT NOT NULL CHECK (phase IN ('Pending', 'Attaching', 'Bound', 'Retained', 'Releasing')),
  -- Rises with each pod that takes the claim.
  generation INTEGER NOT NULL DEFAULT 1 CHECK (generation >= 1),
  -- The pod that has the claim now, and the node it is on; none while the EIP is only kept.
  pod_uid TEXT,
  node TEXT,
  -- Whether the EIP is made for the pod, or is its user's: that is never released.
  source TEXT NOT NULL CHECK (source IN ('created', 'specified')),
  -- What the pod's annotations ask for: internal/ipam/eip-wish.ts.
  wish TEXT NOT NULL CHECK (json_valid(wish)),
  eip_id TEXT,
  -- The public one; none while it is being made.
  address TEXT,
  -- Where the EIP is, or may be, or may come to by a call that is on its way: that address stays on its ENI meanwhile.
  private_ip TEXT,
  eni_id TEXT,
  -- Names the allocation, from before it is sent.
  allocate_token TEXT,
  -- What was asked last, from before it was sent until it is seen what became of it; none of these but the first has a token.
  acted TEXT CHECK (acted IN ('allocate', 'associate', 'disassociate', 'release')),
  -- When it was sent; once the cloud has taken it on (answered), when that was said.
  acted_at INTEGER,
  answered INTEGER NOT NULL DEFAULT 0 CHECK (answered IN (0, 1)),
  -- Milliseconds after its pod that it is kept; none: as long as the leader's setting says.
  expire_after INTEGER CHECK (expire_after >= 300000),
  retained_at INTEGER,
  -- By the ledger's own clock (meta 'expiry-clock').
  expires_at INTEGER,
  -- The topmost owner of the pod, when the claim goes with it.
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
  CHECK (eip_id IS NOT NULL OR phase IN ('Pending', 'Releasing')),
  CHECK (address IS NULL OR eip_id IS NOT NULL),
  CHECK ((private_ip IS NULL) = (eni_id IS NULL)),
  CHECK (private_ip IS NULL OR eip_id IS NOT NULL),
  CHECK (phase <> 'Bound' OR private_ip IS NOT NULL),
  CHECK (policy = 'Never' OR phase <> 'Retained'),
  CHECK (json_extract(wish, '$.source') IS source),
  -- What a user has made is neither made nor released here.
  CHECK (source = 'created' OR (allocate_token IS NULL AND (acted IS NULL OR acted IN ('associate', 'disassociate')))),
  CHECK ((acted IS NULL) = (acted_at IS NULL)),
  CHECK (answered = 0 OR acted IS NOT NULL),
  CHECK (acted IS NOT 'allocate' OR allocate_token IS NOT NULL),
  CHECK (acted IS NOT 'associate' OR private_ip IS NOT NULL),
  CHECK (acted IS NULL OR acted = 'allocate' OR eip_id IS NOT NULL),
  CHECK (acted IS NOT 'release' OR phase = 'Releasing'),
  CHECK (retained_at IS NULL OR phase IN ('Retained', 'Releasing')),
  CHECK (expires_at IS NULL OR phase = 'Retained')
) STRICT;

-- No pod has two EIPs, no EIP is of two pods, no address of a pod has two EIPs; and of one token there is one.
CREATE UNIQUE INDEX eip_claim_of_pod ON eip_claim (pod_uid) WHERE pod_uid IS NOT NULL;
CREATE UNIQUE INDEX eip_claim_of_eip ON eip_claim (eip_id) WHERE eip_id IS NOT NULL;
CREATE UNIQUE INDEX eip_claim_of_address ON eip_claim (address) WHERE address IS NOT NULL;
CREATE UNIQUE INDEX eip_claim_of_private_ip ON eip_claim (private_ip) WHERE private_ip IS NOT NULL;
CREATE UNIQUE INDEX eip_claim_of_token ON eip_claim (allocate_token) WHERE allocate_token IS NOT NULL;
CREATE INDEX eip_claim_expiring ON eip_claim (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX eip_claim_of_phase ON eip_claim (phase, namespace, name);
CREATE INDEX eip_claim_of_node ON eip_claim (node) WHERE node IS NOT NULL;
CREATE INDEX eip_claim_of_owner ON eip_claim (json_extract(owner, '$.uid')) WHERE owner IS NOT NULL;

-- An EIP does not become another by being written over: what was made for the pod would be nobody's.
CREATE TRIGGER eip_claim_keeps_eip BEFORE UPDATE OF eip_id ON eip_claim
WHEN OLD.eip_id IS NOT NULL AND OLD.eip_id IS NOT NEW.eip_id
BEGIN
  SELECT RAISE(ABORT, 'an EIP goes with its claim');
END;

-- Changes of both kinds are numbered together, so that one number says where a watch is.
ALTER TABLE change ADD COLUMN kind TEXT NOT NULL DEFAULT 'claim' CHECK (kind IN ('claim', 'eip'));
-- `claim` is the key in the table of the kind.
DROP INDEX change_of_claim;
CREATE INDEX change_of_claim ON change (kind, claim, seq);

CREATE TRIGGER eip_claim_came AFTER INSERT ON eip_claim
BEGIN
  INSERT INTO change (kind, at, claim, after) SELECT 'eip', NEW.changed_at, NEW.key, body FROM eip_claim_json WHERE key = NEW.key;
  UPDATE eip_claim SET version = (SELECT max(seq) FROM change) WHERE key = NEW.key;
END;
CREATE TRIGGER eip_claim_changes BEFORE UPDATE OF policy, phase, generation, pod_uid, node, wish, eip_id, address, private_ip, eni_id,
  acted, acted_at, answered, expire_after, retained_at, expires_at, owner, reason, message ON eip_claim
BEGIN
  INSERT INTO change (kind, at, claim, before) SELECT 'eip', NEW.changed_at, OLD.key, body FROM eip_claim_json WHERE key = OLD.key;
END;
CREATE TRIGGER eip_claim_changed AFTER UPDATE OF policy, phase, generation, pod_uid, node, wish, eip_id, address, private_ip, eni_id,
  acted, acted_at, answered, expire_after, retained_at, expires_at, owner, reason, message ON eip_claim
BEGIN
  UPDATE change SET after = (SELECT body FROM eip_claim_json WHERE key = NEW.key) WHERE seq = (SELECT max(seq) FROM change);
  UPDATE eip_claim SET version = (SELECT max(seq) FROM change) WHERE key = NEW.key;
END;
CREATE TRIGGER eip_claim_goes BEFORE DELETE ON eip_claim
BEGIN
  INSERT INTO change (kind, at, claim, before) SELECT 'eip', OLD.changed_at, OLD.key, body FROM eip_claim_json WHERE key = OLD.key;
END;

-- As it is kept in changes. `version` is that before the change.
CREATE VIEW eip_claim_json AS
SELECT key, json_object('key', key, 'namespace', namespace, 'name', name, 'uid', uid, 'policy', policy, 'phase', phase,
  'generation', generation, 'pod_uid', pod_uid, 'node', node, 'source', source, 'wish', wish, 'eip_id', eip_id, 'address', address,
  'private_ip', private_ip, 'eni_id', eni_id, 'acted', acted, 'acted_at', acted_at, 'answered', answered, 'expire_after', expire_after,
  'retained_at', retained_at, 'expires_at', expires_at, 'owner', owner, 'reason', reason, 'message', message, 'created_at', created_at,
  'changed_at', changed_at, 'version', version) AS body
FROM eip_claim;

CREATE VIEW v_eip AS
SELECT namespace, name AS pod, phase, policy, coalesce(eip_id, '') AS eip, coalesce(address, '') AS address,
  coalesce(private_ip, '') AS private_ip, coalesce(node, '') AS node, coalesce(eni_id, '') AS eni, source,
  coalesce(json_extract(wish, '$.bandwidth'), '') AS bandwidth, coalesce(json_extract(wish, '$.isp'), '') AS isp,
  coalesce(acted, '') AS acted, coalesce(datetime(acted_at / 1000, 'unixepoch'), '') AS acted_at, answered, generation,
  coalesce(datetime(retained_at / 1000, 'unixepoch'), '') AS retained, datetime(created_at / 1000, 'unixepoch') AS created,
  coalesce(json_extract(owner, '$.kind') || '/' || json_extract(owner, '$.name'), '') AS owner, reason, message
FROM eip_claim ORDER BY namespace, name;
