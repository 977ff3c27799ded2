import { EVIDENCE_SHOWN, finding, type Check } from './check.ts';

/** A read never returns less than what was certainly there when it began. */
export const freshReads: Check = {
  name: 'fresh-reads',
  kind: 'safety',
  question: 'Was every read fresh?',
  judge: ({ measurement }) => {
    const { reads, stale } = measurement.reads;
    const [first] = stale;
    if (reads === 0) return [finding('fresh-reads', 'inconclusive', 'no read succeeded')];
    if (first === undefined) return [finding('fresh-reads', 'pass', `none of ${reads} reads was stale`)];
    const what =
      first.newer === null
        ? `${first.key} read as ${first.value}, which nobody wrote, or whose write was refused`
        : `${first.key} read as ${first.value ?? 'absent'} when ${first.newer} was there before`;
    const lines = stale.slice(0, EVIDENCE_SHOWN).flatMap((one) => [one.line, ...(one.newerLine === null ? [] : [one.newerLine])]);
    return [finding('fresh-reads', 'fail', `${stale.length} of ${reads} reads were stale: ${what}`, lines)];
  },
};
