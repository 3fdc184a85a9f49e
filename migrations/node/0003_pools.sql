-- Whole ENIs for one pod each, beside those that many share.
ALTER TABLE eni ADD COLUMN mode TEXT NOT NULL DEFAULT 'shared' CHECK (mode IN ('shared', 'exclusive'));

-- Of an exclusive ENI pods get its own address and no other.
CREATE TRIGGER ip_of_exclusive_eni BEFORE INSERT ON ip
WHEN EXISTS (SELECT 1 FROM eni WHERE id = NEW.eni_id AND mode = 'exclusive' AND primary_ip <> NEW.address)
BEGIN
  SELECT RAISE(ABORT, 'an exclusive ENI carries its own address alone');
END;
CREATE TRIGGER ip_moved_to_exclusive_eni BEFORE UPDATE OF eni_id ON ip
WHEN EXISTS (SELECT 1 FROM eni WHERE id = NEW.eni_id AND mode = 'exclusive' AND primary_ip <> NEW.address)
BEGIN
  SELECT RAISE(ABORT, 'an exclusive ENI carries its own address alone');
END;

DROP VIEW v_eni;
CREATE VIEW v_eni AS
SELECT eni.id AS eni, eni.slot, eni.mode, eni.mac, eni.primary_ip, eni.subnet_id AS subnet, eni.gateway,
  count(ip.address) AS ips, count(a.address) AS in_use
FROM eni LEFT JOIN ip ON ip.eni_id = eni.id LEFT JOIN attachment a ON a.address = ip.address
GROUP BY eni.id ORDER BY eni.slot;
