import type { WrongMachine } from './wrong-machine.ts';

/** Mistakes in what controllers decide and do. */
export const WRONG_CONTROLLERS: readonly WrongMachine[] = [
  // Whether to fail over.
  {
    name: 'the confirm window is ignored',
    module: 'failover/confirm.js',
    find: 'return nowMs - sinceMs >= policy.confirmMs;',
    put: 'return true;',
  },
  {
    name: 'a veto does not begin the window anew',
    module: 'failover/confirm.js',
    find: 'Math.max(quorum.sinceMs, vetoedAtMs ?? quorum.sinceMs)',
    put: 'quorum.sinceMs',
  },
  {
    name: 'a gate that opens only now is passed at once',
    module: 'failover/gate.js',
    find: 'openMs >= (waits ? PATIENCE : 1) * (suspectAfterMs + confirmMs)',
    put: 'true',
  },
  { name: 'a veto is ignored', module: 'health/quorum.js', find: 'if (veto !== undefined)', put: 'if (false)' },
  {
    name: 'quorum of those who answer, not of the configured',
    module: 'health/quorum.js',
    find: 'const veto = fresh.find',
    put: 'question = { ...question, observers: fresh.map(({ vote }) => vote.region) };\n    const veto = fresh.find',
  },
  {
    name: 'half of the observers is a quorum',
    module: 'health/quorum.js',
    find: 'by.length * 2 > observers.length',
    put: 'by.length * 2 >= observers.length - 1',
  },
  {
    name: 'a vote counts however old it is',
    module: 'health/quorum.js',
    find: ' && nowMs - sentAtMs <= voteLifeMs(policy)',
    put: '',
  },
  { name: 'a vote on an earlier epoch counts', module: 'health/quorum.js', find: ' && vote.epoch === question.epoch', put: '' },
  {
    name: 'a primary that only waits for the arbiter is taken for down',
    module: 'failover/confirm.js',
    find: ' || mayWaitForArbiter(arbiter, nowMs, policy)',
    put: '',
  },
  {
    name: 'an arbiter whose news come is taken for one that answers',
    module: 'failover/arbiter-contact.js',
    find: 'answers !== null && isAwayOrJustBack(',
    put: 'answers !== null && false && isAwayOrJustBack(',
  },
  { name: 'a pause is ignored', module: 'failover/gate.js', find: 'if (pause !== null)', put: 'if (false)' },
  { name: 'the anti-flap period is ignored', module: 'failover/gate.js', find: 'if (last === null)', put: 'if (true)' },
  {
    name: 'a new leader is chosen at once',
    module: 'failover/leadership.js',
    find: '(held === null ? 0 : policy.leaderTakeoverMs) +',
    put: '0 +',
  },
  {
    name: 'a leader that ends names whoever has answered once',
    module: 'failover/leader-loop.js',
    find: 'sentAtMs >= sinceMs && ',
    put: '',
  },
  {
    name: 'whoever ends hands the leadership over, whether it has it or not',
    module: 'failover/leader-loop.js',
    find: 'if (leader !== null && this.isLeading(knowledge()))',
    put: 'if (leader !== null)',
  },
  // The run.
  {
    name: 'acts before the journal is written',
    module: 'failover/wanted.js',
    find: "return [{ kind: 'save-journal', expected: run.revision, value: journal }];",
    put: "return [{ kind: 'save-journal', expected: run.revision, value: journal }, ...wantedEffects({ ...run, saved: true }, facts, setting)];",
  },
  {
    name: 'whom to promote is chosen before the set is frozen',
    module: 'failover/promotion.js',
    find: 'if (!run.frozen)\n        return stay(run);',
    put: '',
  },
  {
    name: 'a standby that is not in the set counts for the seal',
    module: 'failover/sealing.js',
    find: 'lastEpoch > 0 && set.includes(region)',
    put: 'true',
  },
  {
    name: 'an emptied disk is sealed as a member that acknowledged',
    module: 'failover/sealing.js',
    find: 'lastEpoch > 0 && set.includes(region)).length',
    put: 'set.includes(region)).length',
  },
  { name: 'one seal too few', module: 'failover/fencing.js', find: 'set.length - w + 1', put: 'set.length - w' },
  {
    name: 'the shortest log is promoted',
    module: 'failover/sealing.js',
    find: 'const [longest] = logs.toSorted(compareLogs);',
    put: 'const [longest] = logs.toSorted((a, b) => compareLogs(b, a));',
  },
  {
    name: 'the name goes back to an older epoch',
    module: 'dns/route.js',
    find: 'if (published.epoch > wanted.epoch || published.region !== wanted.region)',
    put: "if (published.epoch > wanted.epoch)\n        return 'write';\n    if (false)",
  },
  {
    name: 'whoever is sealed may follow one that cannot be promoted',
    module: 'failover/promotion.js',
    find: 'const candidates = asGoodAs(region, run, setting);',
    put: 'const candidates = journal.sealed.map(({ region }) => region);',
  },
  {
    name: 'an old primary that is fenced and whole is passed over',
    module: 'failover/promotion.js',
    find: "journal.tier === 'automatic' ? wholeHolder(run) : null",
    put: 'null',
  },
  {
    name: 'a promoted database that took the next epoch itself is asked for ever',
    module: 'failover/advance.js',
    find: "journal.step === 'PROMOTE' && lease.epoch > journal.epoch",
    put: 'false',
  },
  {
    name: 'a broken disk is taken for an arbiter that does not answer',
    module: 'server/node.js',
    find: "error.code === 'database-broken'",
    put: 'false',
  },
  {
    name: 'what may be lost is what lacked when the old primary was last seen',
    module: 'failover/loss.js',
    find: 'return lagMs + Math.max(0, stoppedAtMs - sample.askedAtMs);',
    put: 'return lagMs;',
  },
  {
    name: 'whoever is promoted may lack more than was accepted',
    module: 'failover/promotion.js',
    find: '(estimate === null || estimate > accepted)',
    put: 'false',
  },
];
