import { expect } from 'chai';
import { restoredPoint, restoredPointText } from './restored-point.ts';

const wallMs = Date.parse('2026-11-22T21:00:00Z');
const later = { timeMs: wallMs + 5000 };

describe('what is told of a restore to a point in time', () => {
  it('is that nothing is missing only where nothing was passed over', () => {
    const whole = restoredPoint(later, { wallMs, passedOver: [] });
    expect(restoredPointText(whole, [])).to.match(
      /^reached 2026-11-22T21:00:00.000Z, .* before 2026-11-22T21:00:05.000Z: nothing that was known to be committed/,
    );
    const partly = restoredPointText(restoredPoint(later, { wallMs, passedOver: ['STREAM-1', 'STREAM-2'] }), []);
    expect(partly).not.to.include('nothing that was known to be committed');
    expect(partly).to.match(/\npassed over.*destroyed: the log of STREAM-1, STREAM-2;/);
  });

  it('is not that nothing is there where a newer backup was refused', () => {
    const refused = [{ backupId: 'B', problem: 'damaged', setAside: false }];
    const text = restoredPointText(restoredPoint(later, { wallMs, passedOver: [] }), refused);
    expect(text).not.to.include('nothing that was known to be committed');
    expect(text).to.include('nothing that can be read and trusted');
  });

  it('names what was passed over on the way to a version, too', () => {
    expect(restoredPointText(restoredPoint({ version: 7 }, { wallMs, passedOver: [] }), [])).not.to.include('passed over');
    expect(restoredPointText(restoredPoint({ version: 7 }, { wallMs, passedOver: ['STREAM-1'] }), [])).to.include('the log of STREAM-1');
  });

  it('is all there for programs', () => {
    expect(restoredPoint(later, { wallMs, passedOver: ['STREAM-1'] })).to.deep.equal({
      askedTime: '2026-11-22T21:00:05.000Z',
      reachedTime: '2026-11-22T21:00:00.000Z',
      passedOver: ['STREAM-1'],
    });
  });
});
