import { EVIDENCE_SHOWN, finding, type Check } from './check.ts';

/** An older write missing while a newer one of the same reign is there is corruption, and no target excuses it. */
export const noHoles: Check = {
  name: 'no-holes',
  kind: 'safety',
  question: 'Is what survived a prefix of what was acknowledged, without holes or foreign data?',
  judge: ({ measurement }) => {
    const { holes, phantoms, foreign, readBackRegion } = measurement.writes;
    if (readBackRegion === null) return [finding('no-holes', 'inconclusive', 'no copy could be read')];
    const findings = [];
    const [hole] = holes;
    if (hole !== undefined) {
      const message = `${holes.length} hole(s): ${hole.lost.op} ${hole.lost.key} is lost, but ${hole.present.op} ${hole.present.key}, which ${hole.present.region} acknowledged later, is there`;
      findings.push(
        finding(
          'no-holes',
          'fail',
          message,
          holes.slice(0, EVIDENCE_SHOWN).flatMap((one) => [one.lost.line, one.present.line]),
        ),
      );
    }
    const [phantom] = phantoms;
    if (phantom !== undefined) {
      const message = `${phantoms.length} write(s) are there although they were refused or never sent: ${phantom.key}`;
      findings.push(
        finding(
          'no-holes',
          'fail',
          message,
          phantoms.slice(0, EVIDENCE_SHOWN).map((one) => one.line),
        ),
      );
    }
    const [stranger] = foreign;
    if (stranger !== undefined) {
      findings.push(finding('no-holes', 'fail', `${foreign.length} entries that no client wrote: ${stranger.key} = ${stranger.value}`));
    }
    return findings.length > 0 ? findings : [finding('no-holes', 'pass', 'what survived is a prefix of what was acknowledged')];
  },
};
