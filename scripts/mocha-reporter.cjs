'use strict';
// Mocha's own spec reporter; besides, `passed failed pending` go to the file named by TEST_COUNTS for scripts/test, and what failed,
// with its error, to that file's neighbour `.failed`: the end of a log is what is kept of it. Last come the slowest suites, set-up included.
const { appendFileSync, writeFileSync } = require('node:fs');
const { reporters, Runner } = require('mocha');

module.exports = class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    tellSlowest(runner);
    const file = process.env.TEST_COUNTS;
    if (file === undefined) return;
    const write = () => {
      const { passes, failures, pending } = runner.stats;
      writeFileSync(file, `${passes} ${failures} ${pending}\n`);
    };
    runner.on(Runner.constants.EVENT_TEST_FAIL, (test, error) => {
      appendFileSync(`${file}.failed`, failureText(test, error));
    });
    // After each test, so that a run that is killed still tells what it had done.
    runner.on(Runner.constants.EVENT_TEST_END, write);
    runner.once(Runner.constants.EVENT_RUN_END, write);
  }
};

/** A test's own time leaves out what starts and stops its servers, which is half of the whole. */
function tellSlowest(runner) {
  const { EVENT_SUITE_BEGIN, EVENT_SUITE_END, EVENT_RUN_END } = Runner.constants;
  const begun = new Map();
  const took = [];
  runner.on(EVENT_SUITE_BEGIN, (suite) => suite.parent?.root && begun.set(suite, performance.now()));
  runner.on(EVENT_SUITE_END, (suite) => {
    if (begun.has(suite)) took.push({ title: suite.title, seconds: (performance.now() - begun.get(suite)) / 1000 });
  });
  runner.once(EVENT_RUN_END, () => {
    const slow = took.filter(({ seconds }) => seconds >= 5).toSorted((a, b) => b.seconds - a.seconds);
    for (const { title, seconds } of slow.slice(0, 40)) process.stdout.write(`  ${seconds.toFixed(1).padStart(6)} s  ${title}\n`);
  });
}

/** The test's whole title and the beginning of its error, indented under it. */
function failureText(test, error) {
  const lines = String(error?.stack ?? error?.message ?? error)
    .split('\n')
    .slice(0, 40);
  return `${[test.titlePath().join(' > '), ...lines.map((line) => `    ${line}`)].join('\n')}\n`;
}
