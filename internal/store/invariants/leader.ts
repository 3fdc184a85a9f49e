// What must be true of a leader's database.
import { type Invariant, isInBlock } from './invariant.ts'

/** Its quotas are what the cloud said last, and it has come since: an instance may have got smaller, a rebuilt ledger knows lowered maxima. */
const bound = `node.instance_type <> '' AND eni.served = 0`

const open = `state IN ('recorded', 'accepted')`

export const leaderInvariants: readonly Invariant[] = [
  {
    name: 'addresses-in-block',
    says: "every address is in the block of its ENI's subnet",
    sql: `SELECT ip.address || ' of ' || coalesce(eni.id, 'ENI ' || eni.key) || ' is not in ' || eni.subnet_cidr AS found
      FROM ip JOIN eni ON eni.key = ip.eni WHERE NOT ${isInBlock('ip.address', 'eni.subnet_cidr')}`,
  },
  {
    name: 'primaries-in-block',
    says: "every ENI's primary address is in the block of its subnet",
    sql: `SELECT primary_ip || ' of ' || id || ' is not in ' || subnet_cidr AS found
      FROM eni WHERE primary_ip IS NOT NULL AND NOT ${isInBlock('primary_ip', 'subnet_cidr')}`,
  },
  {
    name: 'primaries-not-in-pool',
    says: 'no primary address of a shared ENI is in a pool',
    sql: `SELECT ip.address || ' is the primary address of ' || eni.id AS found
      FROM ip JOIN eni ON eni.primary_ip = ip.address WHERE eni.mode = 'shared'`,
  },
  {
    name: 'exclusive-carry-their-own',
    says: 'an exclusive ENI carries its own address alone',
    sql: `SELECT eni.id || ' carries ' || ip.address AS found
      FROM ip JOIN eni ON eni.key = ip.eni WHERE eni.mode = 'exclusive' AND ip.address IS NOT eni.primary_ip`,
  },
  {
    name: 'slots-within-quota',
    says: 'no new ENI has a place that the instance of its node does not have',
    sql: `SELECT coalesce(eni.id, 'ENI ' || eni.key) || ' has slot ' || eni.slot || ' of ' || node.quota_enis || ' on ' || node.name AS found
      FROM eni JOIN node ON node.name = eni.node WHERE eni.slot > node.quota_enis AND eni.goal = 'serve' AND ${bound}`,
  },
  {
    name: 'addresses-within-quota',
    says: 'no new ENI has more addresses than it can carry',
    sql: `SELECT coalesce(eni.id, 'ENI ' || eni.key) || ' has ' || count(ip.address) || ' addresses and expects ' || eni.expected_ips
          || ', ' || node.quota_ips_per_eni || ' are allowed on ' || node.name AS found
      FROM eni JOIN node ON node.name = eni.node LEFT JOIN ip ON ip.eni = eni.key WHERE eni.mode = 'shared' AND ${bound}
      GROUP BY eni.key HAVING count(ip.address) + eni.expected_ips > node.quota_ips_per_eni`,
  },
  {
    name: 'one-intent-per-eni',
    says: 'at most one thing is asked of an ENI at a time',
    sql: `SELECT 'ENI ' || eni || ' has open intents ' || group_concat(id, ' and ') AS found
      FROM intent NOT INDEXED WHERE ${open} GROUP BY eni HAVING count(*) > 1`,
  },
  {
    name: 'intents-of-enis',
    says: 'what is asked is asked of an ENI of the ledger',
    sql: `SELECT 'intent ' || id || ' (' || kind || ') is about ENI ' || eni || ', which is not there' AS found
      FROM intent WHERE ${open} AND NOT EXISTS (SELECT 1 FROM eni WHERE eni.key = intent.eni)`,
  },
  {
    name: 'creation-asked',
    says: 'an ENI that is being created was asked for',
    sql: `SELECT 'ENI ' || key || ' of ' || node || ' is creating, and nothing is asked' AS found FROM eni WHERE state = 'creating'
      AND NOT EXISTS (SELECT 1 FROM intent WHERE intent.eni = eni.key AND kind = 'create' AND intent.${open})`,
  },
  {
    name: 'expected-asked',
    says: 'addresses that are expected were asked for',
    sql: `SELECT coalesce(id, 'ENI ' || key) || ' expects ' || expected_ips || ' addresses, and nothing is asked' AS found FROM eni
      WHERE expected_ips > 0
      AND NOT EXISTS (SELECT 1 FROM intent WHERE intent.eni = eni.key AND kind IN ('create', 'assign') AND intent.${open})`,
  },
  {
    name: 'unassigning-asked',
    says: 'an address that is being unassigned is in an open intent',
    sql: `SELECT address || ' is unassigning, and nothing is asked' AS found FROM ip WHERE state = 'unassigning'
      AND NOT EXISTS (SELECT 1 FROM intent, json_each(intent.addresses) AS one
        WHERE ip.eni = coalesce(intent.from_eni, intent.eni) AND intent.kind IN ('unassign', 'migrate') AND intent.${open}
        AND one.value = ip.address)`,
  },
  {
    name: 'last-grant',
    says: 'no grant is above the last one that was given',
    sql: `SELECT address || ' has grant ' || "grant" || ', the last one given is '
          || coalesce((SELECT value FROM meta WHERE key = 'last-grant'), 'none') AS found
      FROM ip WHERE "grant" > coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'last-grant'), 0)`,
  },
  {
    name: 'one-place-per-pod',
    says: 'no pod has two addresses',
    sql: `SELECT 'pod ' || pod_uid || ' has ' || group_concat(address, ' and ') AS found
      FROM ip NOT INDEXED WHERE pod_uid IS NOT NULL GROUP BY pod_uid HAVING count(*) > 1`,
  },
  {
    name: 'one-pod-per-eip',
    says: 'no EIP and no public address is of two pods',
    sql: `SELECT coalesce(eip_id, address) || ' is of ' || group_concat(namespace || '/' || name, ' and ') AS found
      FROM (SELECT eip_id, NULL AS address, namespace, name FROM eip_claim NOT INDEXED WHERE eip_id IS NOT NULL
        UNION ALL SELECT NULL, address, namespace, name FROM eip_claim NOT INDEXED WHERE address IS NOT NULL)
      GROUP BY eip_id, address HAVING count(*) > 1`,
  },
  {
    name: 'one-eip-per-address',
    says: 'no pod and no address of a pod has two EIPs',
    sql: `SELECT private_ip || ' has ' || group_concat(eip_id, ' and ') AS found
      FROM eip_claim NOT INDEXED WHERE private_ip IS NOT NULL GROUP BY private_ip HAVING count(*) > 1
      UNION ALL SELECT 'pod ' || pod_uid || ' has ' || group_concat(coalesce(eip_id, 'claim ' || key), ' and ')
      FROM eip_claim NOT INDEXED WHERE pod_uid IS NOT NULL GROUP BY pod_uid HAVING count(*) > 1`,
  },
  {
    name: 'eips-of-lists',
    says: "a user's EIP is one of the list that its pod has",
    sql: `SELECT eip_id || ' of ' || namespace || '/' || name || ' is not in its list' AS found FROM eip_claim
      WHERE source = 'specified' AND phase IN ('Attaching', 'Bound')
      AND eip_id NOT IN (SELECT value FROM json_each(wish, '$.ids'))`,
  },
  {
    name: 'changes-of-claims',
    says: 'what is newest of a claim is what the last change says',
    sql: `SELECT 'EIP claim of ' || namespace || '/' || name || ' is of change ' || version || ', the last one is '
        || coalesce((SELECT max(seq) FROM change WHERE kind = 'eip' AND claim = eip_claim.key), 'gone') AS found
      FROM eip_claim WHERE version < coalesce((SELECT max(seq) FROM change WHERE kind = 'eip' AND claim = eip_claim.key), 0)`,
  },
]
