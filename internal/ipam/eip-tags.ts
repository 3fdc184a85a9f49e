// What an EIP of ours says about itself in the cloud.

/** Only on those that a leader has made: nobody else's is ever released. Real TKE's name. */
export const createdTag = 'tke-created-eip'
