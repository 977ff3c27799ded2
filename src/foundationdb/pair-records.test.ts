import { expect } from 'chai';
import { noteLag, parseLag, parseRecords } from './pair-records.ts';

/** As fdbcli 7.3.79 printed it. */
const UID = '\\x01\\xa6\\x05\\x86\\xb6\\xb3q\\xcdN\\xbb#\\x91\\x0c\\x04\\xcfQ';
/** As FoundationDB stores it: a versionstamp, and the UID in its byte order. */
const LOCK = '0000000001432dcb000001a60586b6b371cd4ebb23910c04cf51';
const AGENT = '\\xff\\x02/db-backup-agent/';
const printed = (...lines: readonly string[]): string => [...lines, ''].join('\n');
const copied = printed(
  '>>> option on READ_SYSTEM_KEYS',
  'Option enabled for all transactions',
  '>>> get \\xff/dbLocked',
  `\`\\xff/dbLocked' is \`\\x00\\x00\\x00\\x00\\x01C-\\xcb\\x00\\x00${UID}'`,
  `>>> get ${AGENT}\\x01tagname\\x00\\x01default\\x00`,
  `\`${AGENT}\\x01tagname\\x00\\x01default\\x00' is \`${UID}'`,
  '',
  'Range limited to 1000 keys',
  `\`${AGENT}\\x01state\\x00\\x01${UID}\\x00\\x01config_backup_tag\\x00' is \`default'`,
  `\`${AGENT}\\x01state\\x00\\x01${UID.replace('q', 'z')}\\x00\\x01state_status\\x00' is \`has been aborted'`,
  `\`${AGENT}\\x01state\\x00\\x01${UID}\\x00\\x01state_status\\x00' is \`is differential'`,
  '>>> get \\xff\\x02/coditect-dr/pair/lag',
  "`\\xff\\x02/coditect-dr/pair/lag' is `1795885511373\\x200.250\\x20cd71b3b68605a60151cf040c9123bb4e'".replaceAll('\\x20', ' '),
  '>>> getrangekeys  \\xff 1',
  '',
  'Range limited to 1 keys',
  "`k1'",
  '',
);

describe('what fdbdr has written of a copy', () => {
  it('is read from what fdbcli prints', () => {
    expect(parseRecords(copied)).to.deep.equal({
      uid: 'cd71b3b68605a60151cf040c9123bb4e',
      state: 'complete',
      lock: LOCK,
      isEmpty: false,
      lagSeen: { wallMs: 1795885511373, seconds: 0.25, uid: 'cd71b3b68605a60151cf040c9123bb4e', lock: null },
    });
  });

  it('has the lock that it was noted with, as it was written', () => {
    const seen = { wallMs: 1, seconds: 0.5, uid: 'cd71b3b68605a60151cf040c9123bb4e', lock: LOCK };
    const value = /set "[^"]*" "([^"]*)"/.exec(noteLag(seen))?.[1];
    expect(parseRecords(copied.replace(/(pair\/lag' is `)[^']*/, `$1${value}`))?.lagSeen).to.deep.equal(seen);
  });

  it('is nothing in a cluster that never was a copy, and unknown where fdbcli printed something else', () => {
    const never = printed(
      "`x': not found",
      '',
      'Range limited to 1000 keys',
      '>>> getrangekeys  \\xff 1',
      '',
      'Range limited to 1 keys',
      '',
    );
    expect(parseRecords(never)).to.deep.equal({ uid: null, state: null, lock: null, isEmpty: true, lagSeen: null });
    expect(parseRecords('')).to.equal(null);
    expect(parseRecords(copied.replaceAll(UID, UID.slice(4)))).to.equal(null);
    expect(parseRecords(copied.replace('is differential', 'is something new'))).to.include({ state: 'unknown' });
  });

  it('a zero byte in a UID is found in its keys, where a tuple writes it otherwise', () => {
    const inKey = UID.replace('\\xa6', '\\x00\\xff');
    const zero = copied
      .replaceAll(`\\x01${UID}\\x00`, `\\x01${inKey}\\x00`)
      .replace(`is \`${UID}'`, `is \`${UID.replace('\\xa6', '\\x00')}'`);
    expect(parseRecords(zero)).to.include({ state: 'complete' });
  });
});

describe('the lag that fdbdr tells', () => {
  const complete =
    "The DR on tag `default' is a complete copy of the primary database. Last log version is 21180331.\n\nThe DR is 2.350203 seconds behind.\n";
  it('is that of a complete copy', () => {
    expect(parseLag(complete)).to.deep.equal({ seconds: 2.350203, paused: false });
    expect(parseLag(`${complete}\nAll DR agents have been paused.\n`)).to.deep.equal({ seconds: 2.350203, paused: true });
  });
  it('is none of what has stopped, is not complete, or could not be told', () => {
    expect(parseLag("The previous DR on tag `default' completed at version 21180331.\n\nThe DR is 1.756395 seconds behind.\n")).to.equal(
      null,
    );
    expect(parseLag("The DR on tag `default' is NOT a complete copy of the primary database.\n\nThe DR is 3.1 seconds behind.\n")).to.equal(
      null,
    );
    expect(parseLag('\nWARNING: Could not fetch full DR status: timed_out\n')).to.equal(null);
  });
});
