-- A node agent's pool: the addresses the leader has published for this node, and which sandbox has which.
-- Times are milliseconds since 1970; the v_ views show them as dates.

CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE eni (
  id TEXT PRIMARY KEY,
  mac TEXT NOT NULL UNIQUE,
  -- Not unique: an ENI that is gone stays while a pod uses it, and the VPC may have given its address to the next one.
  primary_ip TEXT NOT NULL,
  subnet_id TEXT NOT NULL,
  subnet_cidr TEXT NOT NULL,
  gateway TEXT NOT NULL,
  slot INTEGER NOT NULL,
  published INTEGER NOT NULL CHECK (published IN (0, 1))
) STRICT;

CREATE TABLE ip (
  address TEXT PRIMARY KEY,
  -- The address as a number, so that lists are in its order.
  number INTEGER NOT NULL GENERATED ALWAYS AS (
    json_extract('[' || replace(address, '.', ',') || ']', '$[0]') * 16777216
    + json_extract('[' || replace(address, '.', ',') || ']', '$[1]') * 65536
    + json_extract('[' || replace(address, '.', ',') || ']', '$[2]') * 256
    + json_extract('[' || replace(address, '.', ',') || ']', '$[3]')
  ) VIRTUAL,
  eni_id TEXT NOT NULL REFERENCES eni (id),
  "grant" INTEGER NOT NULL,
  -- 'returning': given up, never handed out again; the leader unassigns it.
  state TEXT NOT NULL CHECK (state IN ('usable', 'returning')),
  -- In the NEC now; an address in use is kept although it is not.
  published INTEGER NOT NULL CHECK (published IN (0, 1)),
  -- Persisted, so that a restart does not shorten the pause between two owners (P16).
  cooling_until INTEGER NOT NULL DEFAULT 0,
  changed_at INTEGER NOT NULL
) STRICT;

CREATE INDEX ip_of_eni ON ip (eni_id);

-- Who has an address: one sandbox interface one address, one address one sandbox interface.
CREATE TABLE attachment (
  container_id TEXT NOT NULL,
  ifname TEXT NOT NULL,
  address TEXT NOT NULL UNIQUE REFERENCES ip (address),
  pod_namespace TEXT NOT NULL,
  pod_name TEXT NOT NULL,
  pod_uid TEXT NOT NULL,
  netns TEXT NOT NULL,
  host_link TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (container_id, ifname)
) STRICT;

CREATE TRIGGER attachment_of_usable_ip BEFORE INSERT ON attachment
WHEN (SELECT state FROM ip WHERE address = NEW.address) IS NOT 'usable'
BEGIN
  SELECT RAISE(ABORT, 'a returning address is never handed out');
END;

CREATE TRIGGER return_of_free_ip BEFORE UPDATE OF state ON ip
WHEN NEW.state = 'returning' AND EXISTS (SELECT 1 FROM attachment WHERE address = NEW.address)
BEGIN
  SELECT RAISE(ABORT, 'an address in use is never returned');
END;

CREATE TABLE ip_history (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  address TEXT NOT NULL,
  event TEXT NOT NULL,
  pod_namespace TEXT,
  pod_name TEXT,
  pod_uid TEXT,
  container_id TEXT,
  reason TEXT NOT NULL
) STRICT;

CREATE INDEX ip_history_of_address ON ip_history (address, seq);

CREATE VIEW v_ip AS
SELECT ip.address, ip.state, ip.eni_id AS eni,
  CASE WHEN a.address IS NULL THEN '' ELSE a.pod_namespace || '/' || a.pod_name END AS pod,
  coalesce(substr(a.container_id, 1, 13), '') AS container, coalesce(datetime(a.created_at / 1000, 'unixepoch'), '') AS pod_since,
  CASE WHEN a.address IS NULL AND ip.cooling_until > unixepoch('subsec') * 1000
    THEN datetime(ip.cooling_until / 1000, 'unixepoch') ELSE '' END AS cooling_until,
  CASE ip.published WHEN 1 THEN 'yes' ELSE 'no' END AS published, ip."grant"
FROM ip JOIN eni ON eni.id = ip.eni_id LEFT JOIN attachment a ON a.address = ip.address
ORDER BY eni.slot, ip.number;

CREATE VIEW v_eni AS
SELECT eni.id AS eni, eni.slot, eni.mac, eni.primary_ip, eni.subnet_id AS subnet, eni.gateway,
  count(ip.address) AS ips, count(a.address) AS in_use
FROM eni LEFT JOIN ip ON ip.eni_id = eni.id LEFT JOIN attachment a ON a.address = ip.address
GROUP BY eni.id ORDER BY eni.slot;

CREATE VIEW v_attachment AS
SELECT pod_namespace || '/' || pod_name AS pod, address, ifname, container_id AS container, host_link, netns,
  datetime(created_at / 1000, 'unixepoch') AS since
FROM attachment ORDER BY pod_namespace, pod_name;

CREATE VIEW v_history AS
SELECT datetime(at / 1000, 'unixepoch') AS time, address, event,
  coalesce(pod_namespace || '/' || pod_name, '') AS pod, coalesce(substr(container_id, 1, 13), '') AS container, reason
FROM ip_history ORDER BY seq DESC;
