import type { WrongMachine } from './wrong-machine.ts';

/** Mistakes that a simulator worth its name finds, each one line of the built engine. Those that the engine really had are among them. */
export const WRONG_MACHINES: readonly WrongMachine[] = [
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
    find: 'facts.nowMs - facts.gateShutAtMs >= suspectAfterMs + confirmMs',
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
  { name: 'a pause is ignored', module: 'failover/gate.js', find: 'if (pause !== null)', put: 'if (false)' },
  { name: 'the anti-flap period is ignored', module: 'failover/gate.js', find: 'if (last === null)', put: 'if (true)' },
  {
    name: 'a new leader is chosen at once',
    module: 'failover/leadership.js',
    find: '(held === null ? 0 : policy.leaderTakeoverMs) +',
    put: '0 +',
  },
  // Lease and fence.
  {
    name: 'the successor acts one lease too early',
    module: 'failover/fencing.js',
    find: 'return sighting.seenAtMs + policy.successorWaitsMs;',
    put: 'return sighting.seenAtMs;',
  },
  {
    name: 'the holder goes on for one lease too long',
    module: 'failover/fencing.js',
    find: 'renewalSentAtMs + policy.holderStopsMs - nowMs',
    put: 'renewalSentAtMs + policy.leaseMs + policy.holderStopsMs - nowMs',
  },
  {
    name: 'a renewal counts from its answer',
    module: 'server/lease.js',
    find: 'this.#renewalSentAtMs = sentAtMs;\n                this.#notice',
    put: 'this.#renewalSentAtMs = clock.monotonicMs();\n                this.#notice',
  },
  {
    name: 'promoted without a fence',
    module: 'failover/wanted.js',
    find: ': isFenced(run, facts, setting);\n}',
    put: ': true;\n}',
  },
  { name: 'fenced, but the lease goes on', module: 'server/node.js', find: 'this.#session.lease.end();', put: '' },
  { name: 'acknowledges without a lease', module: 'replication/primary.js', find: '|| !leaseIsValid())', put: ')' },
  {
    name: 'reads without a lease',
    module: 'server/node.js',
    find: 'this.#session.primary.established && this.#session.lease.isValid()',
    put: 'this.#session.primary.established',
  },
  // Direct leases.
  {
    name: 'a standby is promoted against its promise',
    module: 'server/node.js',
    find: "(how === 'promoted' || how === 'restored') && this.promises.boundMs() > 0",
    put: 'false',
  },
  {
    name: 'a restarted standby forgets what it may have promised',
    module: 'replication/direct-lease.js',
    find: 'Math.max(this.#startedAtMs + this.#policy.successorWaitsMs, this.#last?.untilMs ?? 0)',
    put: 'this.#last?.untilMs ?? 0',
  },
  {
    name: 'the promise of one standby is enough',
    module: 'replication/direct-lease.js',
    find: 'Math.min(...remaining)',
    put: 'Math.max(...remaining)',
  },
  {
    name: 'only those of the sync set have to promise',
    module: 'server/session.js',
    find: 'lease.direct.promised(region, askedAtMs)',
    put: '[region, ...standbys.map((standby) => standby.region).filter((other) => !primary.rule.set.includes(other))].forEach((one) => lease.direct.promised(one, askedAtMs))',
  },
  {
    name: 'a promise counts from when its answer is given up',
    module: 'replication/shipper.js',
    find: 'directLease.promised(this.region, sentAtMs)',
    put: 'directLease.promised(this.region, clock.monotonicMs() + policy.appendTimeoutMs)',
  },
  {
    name: 'a lease is over with its record, whatever was promised',
    module: 'failover/wanted.js',
    find: 'run.directOverAtMs !== null && facts.nowMs >= run.directOverAtMs',
    put: 'true',
  },
  {
    name: 'nobody is asked to promise while the arbiter is silent',
    module: 'server/lease.js',
    find: 'this.#renewalSentAtMs > directAfterMs(policy)',
    put: 'this.#renewalSentAtMs > Infinity',
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
    find: 'journal.set.includes(region)).length;\n    return journal.set.length',
    put: 'true).length;\n    return journal.set.length',
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
    find: 'const candidates = asGoodAs(event.region, run, setting);',
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
  // Replication.
  {
    name: 'acknowledges before a standby has it',
    module: 'replication/commit-rule.js',
    find: "if (rule.mode === 'sync') {",
    put: 'if (false) {',
  },
  {
    name: 'acknowledges before it is on the own disk',
    module: 'replication/primary.js',
    find: 'durableIndex: database.state().durableIndex',
    put: 'durableIndex: database.state().log.index',
  },
  {
    name: 'a standby answers before it is on its disk',
    module: 'replication/standby.js',
    find: 'await Promise.all(writes);',
    put: 'void Promise.all(writes);',
  },
  {
    name: 'a changed set counts before the arbiter has it',
    module: 'replication/commit-rule.js',
    find: 'set.filter((region) => proposed.includes(region))',
    put: 'proposed',
  },
  {
    name: 'an undecided change of the set is taken for refused',
    module: 'replication/replication-rule.js',
    find: "if (!result.ok && result.reason === 'unknown') {\n                await clock.sleep(RETRY_MS, signal).catch(() => undefined);\n                continue;",
    put: "if (!result.ok && result.reason === 'unknown') {\n                this.#proposed = null;\n                return;",
  },
  {
    name: 'a new primary writes its set at once',
    module: 'replication/replication-rule.js',
    find: 'return same || next.set.filter((region) => holders.includes(region)).length >= next.w;',
    put: 'return true;',
  },
  {
    name: 'a sealed standby takes appends of the old epoch',
    module: 'replication/append.js',
    find: 'request.epoch < state.sealedEpoch',
    put: 'false',
  },
  {
    name: 'a seal is forgotten by a crash',
    module: 'server/node.js',
    find: 'this.#resign(`sealed by epoch ${epoch}`);\n        await database.seal(epoch);',
    put: 'this.#resign(`sealed by epoch ${epoch}`);\n        void database.seal(epoch);',
  },
  {
    name: 'a log that parts before the append is taken for the same',
    module: 'replication/append.js',
    find: 'if (epochAt(epochs, log.index, request.prev.index) !== request.prev.epoch)',
    put: 'if (log.index < request.prev.index)',
  },
  {
    name: 'a divergent tail is rolled back without a copy of it',
    module: 'replication/standby.js',
    find: 'this.#exportTail(decision.truncateAfter, request.epoch);',
    put: '',
  },
  {
    name: 'a write that was appended is answered as never applied',
    module: 'replication/primary.js',
    find: "end({ kind: 'unknown', code, message });",
    put: "end({ kind: 'refused', code, message });",
  },
];
