-- Addresses that are each for the pod of one name, and for no other (S4).
ALTER TABLE ip ADD COLUMN claim_namespace TEXT;
ALTER TABLE ip ADD COLUMN claim_name TEXT CHECK ((claim_name IS NULL) = (claim_namespace IS NULL));

-- A pod that was found in the kernel may be without a name until Kubernetes tells it.
CREATE TRIGGER attachment_of_claimed_ip BEFORE INSERT ON attachment
WHEN NEW.pod_name <> '' AND EXISTS (SELECT 1 FROM ip WHERE address = NEW.address
  AND (claim_namespace <> NEW.pod_namespace OR claim_name <> NEW.pod_name))
BEGIN
  SELECT RAISE(ABORT, 'a claimed address is for the pod of its name');
END;
CREATE TRIGGER attachment_moved_to_claimed_ip BEFORE UPDATE OF address ON attachment
WHEN NEW.pod_name <> '' AND EXISTS (SELECT 1 FROM ip WHERE address = NEW.address
  AND (claim_namespace <> NEW.pod_namespace OR claim_name <> NEW.pod_name))
BEGIN
  SELECT RAISE(ABORT, 'a claimed address is for the pod of its name');
END;
-- Let go, it is the next pod's of that name no more, and this one's until it ends.
CREATE TRIGGER claim_of_ip_in_use BEFORE UPDATE OF claim_namespace, claim_name ON ip
WHEN EXISTS (SELECT 1 FROM attachment a WHERE a.address = NEW.address AND a.pod_name <> ''
  AND (a.pod_namespace <> NEW.claim_namespace OR NEW.claim_name NOT IN (a.pod_name, a.pod_name || ' (released)')))
BEGIN
  SELECT RAISE(ABORT, 'an address in use is not claimed for another pod');
END;

DROP VIEW v_ip;
CREATE VIEW v_ip AS
SELECT ip.address, ip.state, ip.eni_id AS eni,
  CASE WHEN a.address IS NULL THEN '' ELSE a.pod_namespace || '/' || a.pod_name END AS pod,
  coalesce(ip.claim_namespace || '/' || ip.claim_name, '') AS claim,
  coalesce(substr(a.container_id, 1, 13), '') AS container, coalesce(datetime(a.created_at / 1000, 'unixepoch'), '') AS pod_since,
  CASE WHEN a.address IS NULL AND ip.cooling_until > unixepoch('subsec') * 1000
    THEN datetime(ip.cooling_until / 1000, 'unixepoch') ELSE '' END AS cooling_until,
  CASE ip.published WHEN 1 THEN 'yes' ELSE 'no' END AS published, ip."grant"
FROM ip JOIN eni ON eni.id = ip.eni_id LEFT JOIN attachment a ON a.address = ip.address
ORDER BY eni.slot, ip.number;
