// The cloud as its network sees it: which ENI is plugged into which instance, with which addresses.
import type { Database } from '../../sqlite/database.ts'
import type { Cidr } from '../../value/cidr.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import { type Mac, parseMac } from '../../value/mac.ts'

export interface FabricEni {
  readonly id: string
  readonly instanceId: string
  /** 0 is the instance's own. */
  readonly deviceIndex: number
  readonly mac: Mac
  readonly subnetId: string
  readonly subnetCidr: Cidr
  readonly primaryIp: Ipv4
  /** Secondary addresses that packets may use; those on their way in or out are not here. */
  readonly ips: readonly Ipv4[]
  /** Public addresses that stand for private ones of it, in order; those in arrears or blocked carry no packets. */
  readonly eips: readonly FabricEip[]
}

export interface FabricEip {
  readonly address: Ipv4
  readonly privateIp: Ipv4
}

/** ENIs whose attachment is complete and no detachment has begun, by instance and device index. */
export function fabricEnis(db: Database): FabricEni[] {
  const rows = db.all<Omit<FabricEni, 'ips' | 'eips' | 'mac'> & { ips: string; eips: string; mac: string }>(
    `SELECT eni.id AS id, eni.instance_id AS instanceId, eni.device_index AS deviceIndex, eni.mac AS mac,
       eni.subnet_id AS subnetId, subnet.cidr AS subnetCidr, own.address AS primaryIp,
       (SELECT json_group_array(address ORDER BY number) FROM ip
          WHERE ip.eni_id = eni.id AND is_primary = 0 AND state = 'AVAILABLE') AS ips,
       (SELECT json_group_array(json_object('address', eip.address, 'privateIp', ip.address) ORDER BY eip.number) FROM eip
          JOIN ip ON ip.vpc_id = eip.vpc_id AND ip.number = eip.private_number
          WHERE eip.eni_id = eni.id AND eip.state = 'BIND' AND is_arrears = 0 AND is_blocked = 0) AS eips
     FROM eni JOIN subnet ON subnet.id = eni.subnet_id
     JOIN ip own ON own.eni_id = eni.id AND own.is_primary = 1
     WHERE eni.instance_id IS NOT NULL AND eni.state = 'AVAILABLE'
     ORDER BY eni.instance_id, eni.device_index`,
  )
  return rows.map((row) => ({
    ...row,
    mac: asMac(row.mac),
    ips: JSON.parse(row.ips) as Ipv4[],
    eips: JSON.parse(row.eips) as FabricEip[],
  }))
}

function asMac(text: string): Mac {
  const mac = parseMac(text)
  if (mac === undefined) throw new Error(`"${text}" is not a MAC`)
  return mac
}
