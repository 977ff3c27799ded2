import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { threeRegions } from '../platform/local/topology.ts';
import { faultKinds } from '../registry.ts';
import { explainFault } from './explain.ts';
import { labPods } from './lab-pods.ts';
import { decodeManifest } from './manifest.ts';

const CHAOS = fileURLToPath(new URL('../../../chaos/', import.meta.url));
const pods = labPods(threeRegions());

function explain(file: string, change: (text: string) => string = (text) => text): string {
  const decoded = decodeManifest(change(readFileSync(CHAOS + file, 'utf8')), file, { kinds: faultKinds, defaultNamespace: 'coditect' });
  const [fault] = decoded.ok ? decoded.value : [];
  if (!fault) throw new Error(JSON.stringify(decoded));
  return explainFault(fault, fault.plan({ pods, seed: 1, addressesOf: {} }), pods).join('\n');
}

describe('chaos explain', () => {
  it('tells the selection, the act and the links that are cut, by regions', () => {
    const text = explain('network-partition.yaml');
    expect(text).to.include('NetworkChaos partition `dr-network-partition` (mode all, 300 s from its injection)');
    expect(text).to.include('  effect   us-central1 → us-east1: 36 links lose everything\n');
    expect(text).to.include('  effect   the other 390 links lose nothing\n');
  });
  it('tells single links by name', () => {
    expect(explain('partition-one-way.yaml')).to.include('us-central1 → us-east1: db-us-central1 → db-us-east1\n');
  });
  it('tells what is killed and what follows', () => {
    expect(explain('database-kill.yaml')).to.include('  does     SIGKILL to db-us-central1; a new pod follows\n');
  });
  it('tells why nothing is selected', () => {
    expect(explain('database-kill.yaml', (text) => text.replace('app: db', 'app: dbb'))).to.match(
      /selects {2}nothing: selector: no pod matches/,
    );
  });
});
