-- An EIP is on the address, or comes to it, for the pod of this uid: no other gets it. Empty: for a pod that has gone.
ALTER TABLE ip ADD COLUMN eip_for TEXT;
