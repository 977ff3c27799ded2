import type { WrongMachine } from './wrong-machine.ts';

/** Mistakes in what databases may do, and in how they keep writes. */
export const WRONG_DATABASES: readonly WrongMachine[] = [
  // Lease and fence.
  {
    name: 'the successor acts one lease too early',
    module: 'failover/fencing.js',
    find: 'return seenAtMs + leaseTimes(lease, policy).successorWaitsMs;',
    put: 'return seenAtMs;',
  },
  {
    name: 'a lease lasts as long as the policy of whoever waits for it says',
    module: 'failover/fencing.js',
    find: 'const times = lease?.times ?? own;',
    put: 'const times = own;',
  },
  {
    name: 'a pending lease tells how long one of whoever took it lasts',
    module: 'failover/wanted.js',
    find: 'times: leaseTimes(lease.lease, policy)',
    put: 'times: leaseTimes(null, policy)',
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
  { name: 'whoever restarts takes the lease', module: 'failover/fencing.js', find: 'if (lease.holder !== region)', put: 'if (false)' },
  // Direct leases.
  {
    name: 'a standby is promoted against its promise',
    module: 'server/node.js',
    find: "(how === 'promoted' || how === 'restored') && this.promises.boundMs(waitMs) > 0",
    put: 'false',
    // Alone it breaks nothing: controllers wait for a promise before they promote (ARCHITECTURE §4). So this is one whose controllers wait for the record alone.
    and: {
      module: 'failover/wanted.js',
      find: 'maySucceedItself(run, facts) : isFenced(run, facts, setting)',
      put: 'maySucceedItself(run, facts) : isFenced(run, facts, setting) || recordIsOver(run, facts, setting)',
    },
  },
  {
    name: 'a restarted standby forgets what it may have promised',
    module: 'replication/direct-lease.js',
    find: 'Math.max(startUntilMs, this.#last?.untilMs ?? 0)',
    put: 'this.#last?.untilMs ?? 0',
  },
  {
    name: 'a standby promises for as long as its own policy says',
    module: 'replication/direct-lease.js',
    find: 'Math.max(this.#policy.successorWaitsMs, forMs)',
    put: 'this.#policy.successorWaitsMs',
  },
  {
    name: 'a restarted standby takes its own policy for that of whom it may have promised',
    module: 'replication/direct-lease.js',
    find: 'this.#startedAtMs + Math.max(this.#policy.successorWaitsMs, waitMs)',
    put: 'this.#startedAtMs + this.#policy.successorWaitsMs',
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
    name: 'a member whose disk was emptied counts on',
    module: 'replication/primary.js',
    find: 'this.#forgetful.add(region);',
    put: ';',
  },
  {
    name: 'a write that was appended is answered as never applied',
    module: 'replication/primary.js',
    find: "end({ kind: 'unknown', code, message });",
    put: "end({ kind: 'refused', code, message });",
  },
];
