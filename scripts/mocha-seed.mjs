// Where PROPERTY_SEED is set (.ci/run), property tests try the same inputs every time: a change is refused for what it changes, not for a rare input that has nothing to do with it. Everywhere else, and
// every night (.github/workflows/gameday-nightly.yml), inputs are new ones, and a failure tells its own seed.
import fc from 'fast-check';

const seed = process.env.PROPERTY_SEED;
if (seed !== undefined) fc.configureGlobal({ seed: Number.parseInt(seed, 10) });
