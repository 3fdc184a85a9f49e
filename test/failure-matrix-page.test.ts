// docs/failure-matrix.md is printed from the tables of the tests; `UPDATE=1 npm test` writes it anew.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { claimPage } from './leader/failure-matrix/claims/page.ts'
import { eipPage } from './leader/failure-matrix/eips/page.ts'
import { leaderPage } from './leader/failure-matrix/page.ts'
import { nodePage } from './node/failure-matrix/page.ts'

const introduction = `# What happens when something goes wrong

Printed from the tables in \`test/leader/failure-matrix/\` and \`test/node/failure-matrix/\`, which the tests hold true; \`UPDATE=1 npm test\` writes it anew.

## The leader and the cloud

Every change in the cloud is an *intent*: a row in \`leader.db\`, on disk before the call is sent, and resolved in the
transaction that stores what came of it. \`sqlite3 leader.db 'SELECT * FROM v_intent'\` shows them all, with the last error.
What came of a call is never guessed from its answer: the leader looks at the ENI until the cloud shows the outcome.
That is the same after a good answer, a lost one, and a crash; so a leader that starts does nothing special.

- **Done**: the cloud shows it, in a look that cannot be from before the call (the cloud's answers may lag by 5 s).
- **On its way**: waited for, however long. After two minutes the NEC says so.
- **No trace**: without an answer it is sent again with the same ClientToken, which cannot take effect twice: after 5 s, 10 s,
  20 s, then every minute. Accepted, and without effect for a minute, it is sent again with a new token.
- **Never on one look**: what would lose something (an ENI that is not shown, an address that did not come, a fifth
  sending without effect) is decided when a second look, at least 5 s later, agrees. When more than three ENIs are sought and
  not one is shown, none is taken for gone for ten minutes: the region or the account is likelier to be wrong.
- **Refused**: only the refusal of the very first sending says that nothing has happened. Later ones say nothing of the earlier.
- **Failed**: the ledger is as the cloud is, the NEC's condition and an event say why, and the planner starts anew, after a pause
  that doubles up to a minute. Growing and giving back have pauses of their own: trouble with one does not hold up the other.

One ENI has at most one open intent. ENIs that an intent has nothing to do with are compared by the survey
(\`tke-eni get quarantine\`): what somebody else did to them is found there.

In the tables, *sent* counts calls of that action; *well again in* runs from the pod, node or returned address that asks for it until
ledger, cloud and NEC agree, nothing is open, and the pool is as wanted (a detachment follows an unassignment, a deletion follows
a detachment, and each takes some seconds); *NEC condition* is what the condition \`Ready\` gives as its reason meanwhile. Each row is a
test of its own: \`node --test --test-name-pattern='create: time-out, without effect' test/leader/failure-matrix.test.ts\`; codes are
those that the API's reference lists for the action, each refused once, and one of each kind for three minutes
(\`create: refused as denied, …\`).

`

const ofClaims = `
## Static addresses

A static address has a *claim*: a row in \`leader.db\` under the name of its pod, with the address, the VPC's reservation that keeps it,
and the token of the call that makes that. \`kubectl get vipc\` shows it, and why it is not as it should be.

- The claim's row is on disk before anything is asked of the cloud, and goes after everything of it is gone there. A reservation
  carries cluster, pod and token in its tags: what a lost call has made is found by them, and so is every claim when the
  ledger is lost.
- On ENIs the address moves as any other: by intents, as above. It leaves a node when the agent there has given it back under the
  grant that is published, or the node is known to be gone, and no sooner: never can two pods have it.
- Of one name one thing is done at a time. A pod that comes in the middle waits for what is under way, and takes the claim over;
  one whose claim is being released gets a new one.
- What fails twice in a row the claim says, and its pod is told. It is tried again after pauses that grow up to a minute, without an end.

In the tables, *well again in* runs from the pod, wish or workload that begins the step until claims, ledger, cloud and NECs agree, each pod
shows its address, and nothing is reserved but for claims; *the claim shows* its phase, and its reason in brackets, from then on.
Each row is a test of its own in \`test/leader/claims-failure-matrix.test.ts\`. At each moment no address is promised on two nodes, none on an
ENI that has it not, and no claim changes its address. Other static pods run on both nodes all the time.

`

const ofEips = `
## Public addresses

A pod that asks for an EIP has a claim to it: a row in \`leader.db\` with the EIP, what the cloud was asked last and when, and the address that the EIP
is on or may come to. \`kubectl get eipc -o wide\` shows it, and why it is not as it should be.

- Each call is in the row before it is sent. Only the allocation has a ClientToken: of the others none is sent while one before it may still happen, which
  is 30 s without an answer, and 5 s more for looks that lag.
- A refusal for a state says little: the same request may have come twice. So the row stays as it is, and a look 5 s later shows what is so.
- What has been made for a pod bears cluster, pod and token in its tags: with them a leader without a ledger finds it. What no claim knows of is
  released when two looks agree; its user's never is.
- What got no answer twice in a row, came to nothing, or needs somebody is in the claim, and the pod has an event of the same name.
- No call says which binding it is about: a request to unbind that is late by minutes, or crosses with a person's own binding, unbinds what is bound
  then. What is the pod's is bound again.

In the tables, *well again in* runs from the pod that comes or goes until claims, ledger, cloud, NECs and pods agree, no EIP is left over, and nothing is
on an address whose pod is gone; *the claim shows* its phase, and its reason in brackets, what comes again and again once. Each row is a test of its own in
\`test/leader/eips-failure-matrix.test.ts\`. At each moment no EIP is made twice, its user's is there, no pod shows an EIP that is not
on its address, and the EIP of another pod stays as it is. Codes that the client treats alike are tried once.

`

const ofTheNode = `
## The agent and its node

An agent changes three things: its database, the kernel, and its part of the NEC. The database is written first when something
is taken (an address for a sandbox, surplus to be given back), and last when something is set free: so an address is never
free while anything of a pod is left, and what is half made has a row that says so. The kernel has no transactions; every change
there may be made twice, and each look (every 30 s, and whenever something moved) makes what is missing and removes what
belongs to no row. The runtime does not give up: an ADD that failed is followed by DEL and by an ADD of a new sandbox, a DEL is asked
for until it succeeds; when it never comes, sandbox and pod are missed twice, and collected. A database that is lost, damaged or restored:
see \`test/node/rebuild.test.ts\`.

Each row is a test of its own in \`test/node/failure-matrix.test.ts\`, named by heading, step and mishap. After each, links, rules,
rows and NEC are compared: every address has one place, every pod one link.

`

test('docs/failure-matrix.md says what the tests show', () => {
  const file = new URL('../docs/failure-matrix.md', import.meta.url)
  const text =
    introduction + leaderPage() + ofClaims + claimPage() + ofEips + eipPage() + ofTheNode + nodePage()
  if (process.env['UPDATE']) writeFileSync(file, text)
  assert.ok(
    readFileSync(file, 'utf8') === text,
    'docs/failure-matrix.md is stale: UPDATE=1 npm test writes it',
  )
})
