import { finding, type Check } from './check.ts';

/** Never two regions that acknowledge at a time. */
export const singlePrimary: Check = {
  name: 'single-primary',
  kind: 'safety',
  question: 'Did at most one region acknowledge at any time?',
  judge: ({ measurement }) => {
    const { splitBrain, reigns } = measurement.reigns;
    if (reigns.length === 0) return [finding('single-primary', 'inconclusive', 'no region acknowledged anything')];
    if (splitBrain.length > 0) return splitBrain.map(({ message, lines }) => finding('single-primary', 'fail', message, lines));
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
