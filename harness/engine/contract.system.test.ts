import { fileURLToPath } from 'node:url';
import { KNOWN_BAD } from '../testing/known-bad.ts';
import { describeContract } from '../testing/contract-suite.ts';

const built = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

describeContract('coditect-dr', built('src/main.js'));
describeContract('correct (the control)', built('harness/testing/engines/correct.js'));
// The control's program reads the configuration of all of these.
for (const { engine } of KNOWN_BAD.filter(({ ours }) => ours !== true))
  describeContract(`${engine} (known-bad)`, built(`harness/testing/engines/${engine}.js`), { ownStart: false });
