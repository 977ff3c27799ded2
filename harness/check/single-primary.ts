import { EVIDENCE_SHOWN, finding, type Check } from './check.ts';

/** Never two regions that acknowledge at a time. */
export const singlePrimary: Check = {
  name: 'single-primary',
  kind: 'safety',
  needsEngine: true,
  question: 'Did at most one region acknowledge at any time?',
  judge: ({ view, measurement }) => {
    const { splitBrain, reigns } = measurement.reigns;
    if (reigns.length === 0) return [finding('single-primary', 'inconclusive', 'no region acknowledged anything')];
    const strangers = view.operations.filter((op) => op.outcome === 'ok' && op.region === null);
    const unknown = strangers.slice(0, EVIDENCE_SHOWN).map((op) => op.line);
    const stranger = `${strangers.length} operation(s) were acknowledged by ${strangers[0]?.address ?? 'no address'}, which is in no region that we know`;
    if (splitBrain.length > 0) return splitBrain.map(({ message, lines }) => finding('single-primary', 'fail', message, lines));
    if (strangers.length > 0) return [finding('single-primary', 'inconclusive', stranger, unknown)];
    const message = `one at a time: ${reigns.map((reign) => `${reign.region} (${reign.acknowledgements})`).join(', then ')}`;
    return [
      finding(
        'single-primary',
        'pass',
        message,
        reigns.map((reign) => reign.line),
      ),
    ];
  },
};
