// What happens in each cell of the matrix of public addresses, for people.
import type { EipKind } from './kinds.ts'
import type { EipMishapId } from './mishaps.ts'

export function eipWords(kind: EipKind, id: EipMishapId): string {
  return particular[`${kind} ${id}`] ?? common[id]
}

const over = 'sent again when a look shows that it cannot happen any more, 35 s after it was sent'
const passed = 'The pod is told, and everything goes on when the cloud does.'
const client = 'The client sends it again itself, ever more slowly, up to eight times.'
const isGone = 'When looks agree for 15 s that it is gone, the claim goes, and the pod gets another one.'
const looks = 'Nothing is taken for gone or done because nobody can look.'

const common: Readonly<Record<EipMishapId, string>> = {
  nothing: 'Sent once.',
  'die-before': `The next leader does not know whether it was sent: it is ${over}.`,
  'die-after': 'The next leader looks, and finds it done.',
  'time-out-undone': `No look shows it: it is ${over}.`,
  'time-out-done':
    'A look shows it done. For 30 s it may happen yet, so nothing else is asked for until then.',
  'time-out-late': `No look shows it: it is ${over}. The late one is refused.`,
  'time-out-denied': `No look shows it: it is ${over}. Denied, it is told, and sent again half a minute later; the late one is found done.`,
  'time-outs': 'Sent again every 35 s, and ever more slowly; told when two in a row got no answer.',
  'time-outs-late': 'As before; the late one is refused.',
  'error-undone': `A server error says nothing: it is ${over}.`,
  'error-done': 'A server error says nothing: a look shows it done.',
  throttled: client,
  'answer-garbled': client,
  'request-twice':
    'The second delivery is refused for the state that the first has brought about: a look 5 s later shows it done.',
  'events-twice': 'Nothing: of one name one thing is done at a time, and what is so now decides.',
  stale: 'A look counts only when it is 5 s later than what it is to show.',
  'die-late': `The next leader does not know whether it was sent: it is ${over}. The late one comes to nothing, or does it.`,
  'ledger-before':
    'The next leader finds the EIP by its tags, gives it a claim again, and does what is left to do.',
  'ledger-after': 'The next leader finds the EIP by its tags as it is, and gives it a claim again.',
  'ledger-late': 'The next leader finds the EIP by its tags, and does it; the late one is refused.',
  outage: `${looks} ${passed}`,
  unavailable: `${looks} ${passed}`,
  undone: 'A look 5 s after the answer shows no effect: told, and sent again.',
  'undone-again': 'Sent again ever more slowly, up to a minute; told each time.',
  'pod-goes': 'What is under way ends first; then the EIP is unbound and released, and the claim goes.',
  'pod-anew':
    'The EIP was to go with its pod: it is released when what is under way has ended. The new pod gets another.',
  'pod-back': 'The next pod takes the claim over, and the EIP is bound to its address.',
  'pod-away': 'The pod on the node before takes the claim over, and the EIP is bound to its address.',
  'eip-gone': `The call is refused. ${isGone}`,
  'eip-unbound': 'The call is refused, and a look 5 s later shows why: there is nothing more to unbind.',
  'eip-used': 'It is let alone while it is on something else, and the pod is told what it is on.',
  'address-used': 'The call is refused. The pod is told, and it is tried again every half a minute.',
}

const particular: Readonly<Record<string, string>> = {
  'allocate nothing': 'Sent once; looked up by its id until it is there, then bound.',
  'allocate die-before':
    'The next leader finds its token in the row: nothing has it, so it is sent again with the same.',
  'allocate die-after': 'The next leader looks for the token, and finds the EIP.',
  'allocate time-out-undone': 'Nothing has its token: sent again with the same, which makes no second one.',
  'allocate time-out-done':
    'It is found by its token in its tags. For 30 s it may be made yet, which makes no other.',
  'allocate time-out-late': 'Sent again with the same token: the late one makes no second EIP.',
  'allocate time-out-denied':
    'Sent again with the same token, denied, and told; the late one is found by its token.',
  'allocate time-outs':
    'Sent again with the same token, ever more slowly; told when two in a row got no answer.',
  'allocate error-undone':
    'A server error says nothing: nothing has its token, so it is sent again with the same.',
  'allocate error-done': 'A server error says nothing: it is found by its token.',
  'allocate answer-garbled':
    'It has happened, and the answer does not say which it is: it is found by its token.',
  'allocate request-twice': 'The second delivery brings the same EIP.',
  'allocate die-late': 'Sent again with the same token: the late one makes no second EIP.',
  'allocate ledger-before':
    'No EIP of that name is there: the new claim asks for one, with a token of its own.',
  'allocate ledger-after': 'The EIP bears the name in its tags: the new claim takes it.',
  'allocate ledger-late':
    'The new claim asks for one, too, and the late one is a second of that name: the survey releases it after two looks.',
  'allocate undone':
    'It is gone when looks agree for 15 s: the claim goes, and the next one asks for another.',
  'allocate undone-again': 'As before, ever more slowly, up to five minutes; told each time.',
  'bind nothing': 'Sent once, when the NEC says whose the address is; shown by the pod when a look shows it.',
  'bind ledger-late': 'The next leader finds the EIP by its tags, and binds it; the late one is refused.',
  'bind-own nothing': 'Chosen of the list when it is on nothing, and bound.',
  'bind-own pod-goes': "What is under way ends first; then it is unbound, and is its user's.",
  'bind-own pod-anew': 'It is unbound first; then the new pod has it.',
  'leave nothing': 'Sent once; when it is seen to be on nothing, it is bound to the address of the new pod.',
  'leave time-outs-late':
    'As before. The late one unbinds it from where it is by then; the next look, within a minute, finds it, and it is bound again.',
  'leave ledger-late':
    'The next leader unbinds and binds it; the late one unbinds it again, which the next look finds within a minute: it is bound again.',
  'leave pod-goes': 'It is unbound, and kept.',
  'arrive nothing': 'Sent once, when it is seen to be on nothing.',
  'arrive pod-goes': 'What is under way ends first; then it is unbound, and kept.',
  'follow nothing':
    'The EIP leaves the address first; then that goes to the ENI of the other node, and the EIP back to it.',
  'rest nothing': 'Sent once; it is kept for the next pod of the name.',
  'rest eip-gone':
    'The call is refused. When looks agree for 15 s that it is gone, the claim goes, and there is no EIP.',
  'unbind-own nothing': 'Sent once; the claim goes when it is seen to be on nothing.',
  'unbind-own die-after':
    'The next leader finds it unbound, and keeps the claim until the call cannot happen again: from then on its user may bind it.',
  'unbind-own time-out-done':
    'A look shows it unbound; the claim stays until the call cannot happen again: from then on its user may bind it.',
  'unbind-own pod-back': 'It is unbound first; then the new pod has it.',
  'unbind-own eip-used': 'It is on something that no leader has bound it to: it is left, and the claim goes.',
  'release nothing': 'Unbound first, then released; the claim goes when looks agree for 5 s that it is gone.',
  'release ledger-before':
    'The next leader finds an EIP of a pod that is gone by its tags: after two looks it has a claim again, which releases it.',
  'release ledger-after': 'Nothing of it is left.',
  'release ledger-late': 'The next leader finds and releases it; the late one is refused.',
  'release time-out-done': 'Looks show it gone.',
  'release pod-back': 'It is released; the new pod gets another.',
  'release eip-gone': 'The call is refused; looks show it gone, as it should be.',
  'find nothing':
    'Asked before one is made, since a lost ledger may have left one, and until it is there and bound.',
  'find time-out-undone': client,
  'find time-outs': 'Asked again ever more slowly, up to a minute; told when two in a row failed.',
  'pick nothing': 'Asked which of the list are free, and until it is bound.',
  'pick time-out-undone': client,
  'pick time-outs': 'Asked again ever more slowly, up to a minute; told when two in a row failed.',
  'quota nothing':
    'Where the account may have no more, the pod is told how many it has; tried again every half a minute.',
  'quota time-out-undone': client,
  'quota time-outs': 'After 5 s the pod is told without the figures.',
  'quota answer-garbled': 'The pod is told without the figures.',
}
