-- Addresses that are kept: the VPC never chooses one of these, and gives it to who names it. Bound is one that an ENI has: a row of
-- `ip` with its number.
CREATE TABLE reservation (
  seq         INTEGER PRIMARY KEY AUTOINCREMENT,
  id          TEXT NOT NULL UNIQUE,
  vpc_id      TEXT NOT NULL REFERENCES vpc,
  number      INTEGER NOT NULL,
  address     TEXT NOT NULL,
  subnet_id   TEXT NOT NULL REFERENCES subnet,
  name        TEXT NOT NULL,
  description TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  -- No address is kept twice.
  UNIQUE (vpc_id, number)
) STRICT;
CREATE INDEX reservation_subnet ON reservation (subnet_id);
