-- Two pools on a node: addresses on shared ENIs, and whole ENIs of which each goes to one pod.
ALTER TABLE eni ADD COLUMN mode TEXT NOT NULL DEFAULT 'shared' CHECK (mode IN ('shared', 'exclusive'));
ALTER TABLE intent ADD COLUMN mode TEXT NOT NULL DEFAULT 'shared' CHECK (mode IN ('shared', 'exclusive'));

-- An exclusive ENI carries its own address and no other.
CREATE TRIGGER ip_of_exclusive_eni BEFORE INSERT ON ip
WHEN EXISTS (SELECT 1 FROM eni WHERE key = NEW.eni AND mode = 'exclusive' AND primary_ip IS NOT NEW.address)
BEGIN
  SELECT RAISE(ABORT, 'an exclusive ENI carries its own address alone');
END;
CREATE TRIGGER ip_moved_to_exclusive_eni BEFORE UPDATE OF eni ON ip
WHEN EXISTS (SELECT 1 FROM eni WHERE key = NEW.eni AND mode = 'exclusive' AND primary_ip IS NOT NEW.address)
BEGIN
  SELECT RAISE(ABORT, 'an exclusive ENI carries its own address alone');
END;

-- What is in force now (max_enis, ips_per_eni, min_warm and max_warm are the shared pool's) …
ALTER TABLE node ADD COLUMN exclusive_max_enis INTEGER NOT NULL DEFAULT 0 CHECK (exclusive_max_enis >= 0);
ALTER TABLE node ADD COLUMN exclusive_min_warm INTEGER NOT NULL DEFAULT 0 CHECK (exclusive_min_warm >= 0);
ALTER TABLE node ADD COLUMN exclusive_max_warm INTEGER NOT NULL DEFAULT 0 CHECK (exclusive_max_warm >= exclusive_min_warm);
ALTER TABLE node ADD COLUMN max_pods INTEGER CHECK (max_pods >= 0);
-- ENIs that the instance may have for pods, of both kinds together.
ALTER TABLE node ADD COLUMN instance_enis INTEGER NOT NULL DEFAULT 0 CHECK (instance_enis >= 0);
-- … and what it comes from. The quotas of the instance, as last asked: its own ENI and primary addresses are not counted.
ALTER TABLE node ADD COLUMN instance_type TEXT NOT NULL DEFAULT '';
ALTER TABLE node ADD COLUMN quota_enis INTEGER NOT NULL DEFAULT 0 CHECK (quota_enis >= 0);
ALTER TABLE node ADD COLUMN quota_ips_per_eni INTEGER NOT NULL DEFAULT 0 CHECK (quota_ips_per_eni >= 0);
-- The leader's settings when the node was first seen: a changed default is for later nodes (P9).
ALTER TABLE node ADD COLUMN defaults TEXT NOT NULL
  DEFAULT '{"shared":{"minWarm":5,"maxWarm":5},"exclusive":{"minWarm":1,"maxWarm":1}}' CHECK (json_valid(defaults));
-- The annotations of its NEC that were last found to be right (P7).
ALTER TABLE node ADD COLUMN overrides TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(overrides));
-- Nodes seen before there were two pools: what is in force is what the settings were, and nothing was set for exclusive ENIs.
UPDATE node SET instance_enis = max_enis, quota_enis = max_enis, quota_ips_per_eni = ips_per_eni,
  defaults = json_set(defaults, '$.shared.minWarm', min_warm, '$.shared.maxWarm', max_warm);

DROP VIEW v_eni;
CREATE VIEW v_eni AS
SELECT coalesce(eni.id, '(creating)') AS eni, eni.node, eni.slot, eni.mode, eni.state, eni.goal, eni.subnet_id AS subnet,
  coalesce(eni.primary_ip, '') AS primary_ip, coalesce(eni.mac, '') AS mac,
  (SELECT count(*) FROM ip WHERE ip.eni = eni.key) AS ips,
  (SELECT count(*) FROM ip WHERE ip.eni = eni.key AND ip.pod_uid IS NOT NULL) AS in_use,
  datetime(eni.changed_at / 1000, 'unixepoch') AS changed
FROM eni ORDER BY eni.node, eni.slot;

DROP VIEW v_node;
CREATE VIEW v_node AS
SELECT node.name AS node, node.phase, node.instance_id AS instance, node.instance_type AS type, node.zone,
  (SELECT count(*) FROM eni WHERE eni.node = node.name AND eni.mode = 'shared') AS enis, node.max_enis,
  count(ip.address) AS bound, count(ip.pod_uid) AS in_use, count(ip.address) - count(ip.pod_uid) AS idle,
  node.max_enis * node.ips_per_eni AS max_bindable, node.min_warm, node.max_warm,
  (SELECT count(*) FROM eni WHERE eni.node = node.name AND eni.mode = 'exclusive') AS exclusive_enis, node.exclusive_max_enis,
  node.exclusive_min_warm, node.exclusive_max_warm, node.overrides
FROM node LEFT JOIN eni ON eni.node = node.name AND eni.mode = 'shared' LEFT JOIN ip ON ip.eni = eni.key AND ip.state = 'bound'
GROUP BY node.name ORDER BY node.name;
