-- How long an address rests after its pod: also one that comes, or comes again, after that pod has gone.
ALTER TABLE ip_history ADD COLUMN cooling_until INTEGER;
CREATE INDEX ip_history_cooling ON ip_history (address) WHERE cooling_until IS NOT NULL;
