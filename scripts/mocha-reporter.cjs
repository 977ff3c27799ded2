'use strict';
// Mocha's own spec reporter; besides, `passed failed pending` go to the file named by TEST_COUNTS for scripts/test.
const { writeFileSync } = require('node:fs');
const { reporters, Runner } = require('mocha');

module.exports = class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = process.env.TEST_COUNTS;
    if (file === undefined) return;
    const write = () => {
      const { passes, failures, pending } = runner.stats;
      writeFileSync(file, `${passes} ${failures} ${pending}\n`);
    };
    // After each test, so that a run that is killed still tells what it had done.
    runner.on(Runner.constants.EVENT_TEST_END, write);
    runner.once(Runner.constants.EVENT_RUN_END, write);
  }
};
