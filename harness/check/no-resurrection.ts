import { EVIDENCE_SHOWN, finding, type Check } from './check.ts';

/** A deleted key that reappears. Only an allowed loss of the log's tail, deletes included, may undo one. */
export const noResurrection: Check = {
  name: 'no-resurrection',
  kind: 'safety',
  question: 'Do deleted keys stay deleted?',
  judge: ({ scenario, measurement }) => {
    const { resurrected, holes, readBackRegion } = measurement.writes;
    if (readBackRegion === null) return [finding('no-resurrection', 'inconclusive', 'no copy could be read')];
    const inHole = new Set(holes.map((hole) => hole.lost.line));
    const judged = scenario.expect.loss === 'allowed' ? resurrected.filter((write) => inHole.has(write.line)) : resurrected;
    const [first] = judged;
    if (first === undefined) return [finding('no-resurrection', 'pass', 'no deleted key reappeared')];
    const message = `${judged.length} deleted key(s) are there again: ${first.key}`;
    return [
      finding(
        'no-resurrection',
        'fail',
        message,
        judged.slice(0, EVIDENCE_SHOWN).map((write) => write.line),
      ),
    ];
  },
};
