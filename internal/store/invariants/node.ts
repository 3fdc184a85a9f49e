// What must be true of a node agent's database.
import { type Invariant, isInBlock } from './invariant.ts'

export const nodeInvariants: readonly Invariant[] = [
  {
    name: 'addresses-in-block',
    says: "every address is in the block of its ENI's subnet",
    sql: `SELECT ip.address || ' of ' || eni.id || ' is not in ' || eni.subnet_cidr AS found
      FROM ip JOIN eni ON eni.id = ip.eni_id WHERE NOT ${isInBlock('ip.address', 'eni.subnet_cidr')}`,
  },
  {
    name: 'primaries-in-block',
    says: "every ENI's primary address is in the block of its subnet",
    sql: `SELECT primary_ip || ' of ' || id || ' is not in ' || subnet_cidr AS found
      FROM eni WHERE NOT ${isInBlock('primary_ip', 'subnet_cidr')}`,
  },
  {
    name: 'primaries-not-in-pool',
    says: 'no primary address of a published shared ENI is handed out',
    sql: `SELECT ip.address || ' is the primary address of ' || eni.id AS found
      FROM ip JOIN eni ON eni.primary_ip = ip.address WHERE eni.mode = 'shared' AND eni.published = 1 AND ip.published = 1`,
  },
  {
    name: 'exclusive-carry-their-own',
    says: 'an exclusive ENI carries its own address alone',
    sql: `SELECT eni.id || ' carries ' || ip.address AS found
      FROM ip JOIN eni ON eni.id = ip.eni_id WHERE eni.mode = 'exclusive' AND ip.address <> eni.primary_ip`,
  },
  {
    name: 'one-eni-per-slot',
    says: 'no two published ENIs have one place',
    sql: `SELECT 'slot ' || slot || ' has ' || group_concat(id, ' and ') AS found
      FROM eni WHERE published = 1 GROUP BY slot HAVING count(*) > 1`,
  },
  {
    name: 'published-on-published',
    says: 'a published address is on a published ENI',
    sql: `SELECT ip.address || ' is published, ' || eni.id || ' is not' AS found
      FROM ip JOIN eni ON eni.id = ip.eni_id WHERE ip.published = 1 AND eni.published = 0`,
  },
  {
    name: 'attached-in-pool',
    says: "every attachment's address is in the pool",
    sql: `SELECT a.address || ' of container ' || a.container_id || ' is not in the pool' AS found
      FROM attachment a LEFT JOIN ip ON ip.address = a.address WHERE ip.address IS NULL`,
  },
  {
    name: 'attached-not-returned',
    says: 'no address in use is given back',
    sql: `SELECT a.address || ' of container ' || a.container_id || ' is ' || ip.state AS found
      FROM attachment a JOIN ip ON ip.address = a.address WHERE ip.state <> 'usable'`,
  },
  {
    name: 'claimed-for-its-pod',
    says: 'no pod has an address that is claimed for another',
    sql: `SELECT a.address || ' is claimed for ' || claim_namespace || '/' || claim_name || ', and ' || pod_namespace || '/' || pod_name || ' has it' AS found
      FROM attachment a JOIN ip ON ip.address = a.address
      WHERE pod_name <> '' AND (claim_namespace <> pod_namespace OR claim_name NOT IN (pod_name, pod_name || ' (released)'))`,
  },
  {
    name: 'attached-once',
    says: 'no address, sandbox interface or host link is there twice',
    sql: `SELECT 'address ' || address || ' is attached ' || count(*) || ' times' AS found
        FROM attachment NOT INDEXED GROUP BY address HAVING count(*) > 1
      UNION ALL SELECT 'host link ' || host_link || ' is there ' || count(*) || ' times'
        FROM attachment NOT INDEXED GROUP BY host_link HAVING count(*) > 1`,
  },
  {
    name: 'held-not-attached',
    says: 'no link is both in quarantine and attached',
    sql: `SELECT subject || ' is in quarantine and attached with ' || a.address AS found
      FROM quarantine q JOIN attachment a ON a.host_link = q.subject WHERE q.kind = 'pod-link'`,
  },
  {
    name: 'history-agrees',
    says: 'the last event of each host link says what is so',
    sql: `WITH last AS (
        SELECT host_link, address, event, max(seq) FROM ip_history
        WHERE host_link IS NOT NULL AND event IN ('attached', 'detached') GROUP BY host_link)
      SELECT a.address || ' is attached, and its history says ' || last.event || ' ' || last.address AS found
        FROM attachment a JOIN last USING (host_link) WHERE last.event <> 'attached' OR last.address <> a.address
      UNION ALL SELECT last.address || ' is not attached any more, and its history says attached'
        FROM last LEFT JOIN attachment a USING (host_link) WHERE last.event = 'attached' AND a.host_link IS NULL`,
  },
]
