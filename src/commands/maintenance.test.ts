import { expect } from 'chai';
import { OneController, pausedBy } from '../testing/one-controller.ts';
import { EXIT } from './world.ts';

describe('coditect-dr resume', function () {
  this.timeout(60_000);
  let one: OneController;
  before(async () => {
    one = await OneController.start();
  });
  beforeEach(() => {
    one.paused = undefined;
    one.isOlder = false;
    one.onStatus = () => undefined;
  });
  after(() => one.close());

  it('ends the pause that it sees, and says whose', async () => {
    for (const isOlder of [false, true]) {
      one.isOlder = isOlder;
      one.paused = pausedBy('anna', 'new switches');
      const { code, said } = await one.run('resume');
      expect(said).to.match(/^resumed +.*; ended was the pause of anna \(new switches\)/m);
      expect({ code, paused: one.paused }).to.deep.equal({ code: EXIT.ok, paused: undefined });
    }
  });
  it('leaves one that has taken its place since it looked', async () => {
    const [seen, meanwhile] = [pausedBy('anna', 'new switches'), pausedBy('bert', 'a drill')];
    one.paused = seen;
    let looks = 0;
    one.onStatus = () => {
      if (++looks === 2) one.paused = meanwhile;
    };
    const { code, said } = await one.run('resume');
    expect(code, said).to.equal(EXIT.failed);
    expect(one.paused).to.deep.equal(meanwhile);
  });
  it('is refused where nothing is paused', async () => {
    expect(await one.run('resume')).to.have.property('code', EXIT.failed);
  });
});
