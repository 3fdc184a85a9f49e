// What one call of the cloud's API takes.

/** Addresses that a call names to assign or to unassign them. */
export const maxNamedAddresses = 10
