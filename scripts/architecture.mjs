// `npm run arch`: checks the import rules of .dependency-cruiser.cjs, and that every one of them can fail.
import { createRequire } from 'node:module';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Visitor } from '@swc/core/Visitor.js';
import { cruise } from 'dependency-cruiser';

const ROOT = resolve(import.meta.dirname, '..');
const FOLDERS = ['src', 'harness', 'scenarios'];
/** Fewer than this and the tool has not seen the code (a parser that is missing makes it see nothing, and pass). */
const LEAST_MODULES = 200;
const { forbidden, options } = createRequire(import.meta.url)('../.dependency-cruiser.cjs');

// swc parses `using` and `await using`, but its visitor, by which dependency-cruiser looks for imports, throws at them.
const known = Visitor.prototype;
const visitKnown = Reflect.get(known, 'visitStatement');
known.visitStatement = function visitAnyStatement(statement) {
  if (statement.type !== 'UsingDeclaration') return visitKnown.call(this, statement);
  statement.decls = this.visitVariableDeclarators(statement.decls);
  return statement;
};

/** A file that imports another one. */
function pair(from, to, word = 'import') {
  const up = '../'.repeat(from.split('/').length - 1);
  return { [from]: `${word} { b } from '${up}${to}'; export const a = () => b;`, [to]: 'export const b = 1;' };
}

/** A package that is there, whatever is installed here. */
function stub(name) {
  const folder = `node_modules/${name}`;
  return { [`${folder}/package.json`]: JSON.stringify({ name, version: '1.0.0', main: 'index.js' }), [`${folder}/index.js`]: '' };
}

/** For every rule, files that break it. */
const VIOLATIONS = {
  'wall-harness': pair('harness/check/a.ts', 'src/b.ts', 'import type'),
  'wall-src': {
    'src/a.ts': `export const a = async (f: any) => { await using it = f(await import('../harness/b.ts')); return it; };`,
    'harness/b.ts': 'export const b = 1;',
  },
  'no-cycles': {
    'src/a.ts': `import { b } from './b.ts'; export const a = () => b;`,
    'src/b.ts': `import { a } from './a.ts'; export const b = () => a;`,
  },
  'no-barrels': pair('src/a.ts', 'src/dns/index.ts'),
  'no-test-imports': pair('src/a.ts', 'src/b.test.ts'),
  'not-resolvable': { 'src/a.ts': `import { b } from './not-there.ts'; b();` },
  'no-dev-packages-in-programs': { ...stub('fast-check'), 'src/a.ts': `import * as fc from 'fast-check'; export const a = fc;` },
  'outside-world-only-where-listed': { 'harness/check/a.ts': `import { readFileSync } from 'node:fs'; readFileSync('x');` },
  'platform-is-below-everything-src': pair('src/platform/a.ts', 'src/b.ts'),
  'judging-is-pure-measure': pair('harness/measure/a.ts', 'harness/workload/b.ts'),
  'judging-is-pure-check': pair('harness/check/a.ts', 'harness/engine/b.ts'),
  'judging-is-pure-report': pair('harness/report/a.ts', 'harness/platform/local/b.ts'),
  'chain-history': pair('harness/history/a.ts', 'harness/measure/b.ts'),
  'chain-measure': pair('harness/measure/a.ts', 'harness/check/b.ts'),
  'chain-check': pair('harness/check/a.ts', 'harness/report/b.ts'),
  'chain-scenario-fault': pair('harness/fault/a.ts', 'harness/history/recorder.ts'),
  'conformance-only-in-tests': pair('src/database/a.ts', 'src/database/conformance.ts'),
  'testing-only-in-tests': pair('harness/measure/a.ts', 'harness/testing/b.ts'),
};

/** A rule that gives a package to one folder is broken by an import in a folder that none of them names. */
function violationOf(rule) {
  const sdk = /node_modules\/(.+)\/$/.exec(rule.to.path)?.[1];
  return VIOLATIONS[rule.name] ?? (sdk && { ...stub(sdk), 'src/failover/a.ts': `import * as sdk from '${sdk}'; export const a = sdk;` });
}

async function check(baseDir) {
  const { output } = await cruise(FOLDERS, { ...options, ruleSet: { forbidden }, validate: true, baseDir, outputType: 'json' });
  return JSON.parse(output).summary;
}

async function firesInScratchProject(rule) {
  const scratch = mkdtempSync(join(tmpdir(), 'architecture-'));
  try {
    copyFileSync(join(ROOT, 'package.json'), join(scratch, 'package.json'));
    for (const folder of FOLDERS) mkdirSync(join(scratch, folder));
    for (const [file, text] of Object.entries(violationOf(rule) ?? {})) {
      mkdirSync(dirname(join(scratch, file)), { recursive: true });
      writeFileSync(join(scratch, file), text);
    }
    const { violations } = await check(scratch);
    return violations.some((violation) => violation.rule.name === rule.name);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const problems = [];
for (const rule of forbidden) {
  if (!(await firesInScratchProject(rule))) problems.push(`${rule.name}: stayed silent although a planted import breaks it`);
}
const { totalCruised, totalDependenciesCruised, violations } = await check(ROOT);
if (totalCruised < LEAST_MODULES) problems.push(`only ${totalCruised} modules seen, expected at least ${LEAST_MODULES}`);
for (const { from, to, rule } of violations) {
  const reason = forbidden.find((one) => one.name === rule.name)?.comment ?? '';
  problems.push(`${rule.name}: ${from} → ${to}\n    ${reason}`);
}

for (const problem of problems) process.stderr.write(`  ${problem}\n`);
process.stdout.write(
  `${forbidden.length} rules, each tried with a violation; ${totalCruised} modules, ${totalDependenciesCruised} imports, ${problems.length} problems\n`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
