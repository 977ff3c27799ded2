import type { ResultDocument } from './result-shape.ts';
import type { Unjudged } from './unjudged.ts';
import { escapeXml } from './xml.ts';

type Finding = ResultDocument['findings'][number];

/**
 * `junit.xml`: the scenario is the suite, each check a test case. A failed check is a failure, an inconclusive one an
 * error (the run proved nothing), one that was not asked for is skipped; a warning passes and is told in system-out.
 */
export function junitXml(result: ResultDocument): string {
  const { findings, scenario, verdict } = result;
  const count = (outcome: Finding['outcome']): number => findings.filter((one) => one.outcome === outcome).length;
  const numbers = `tests="${findings.length}" failures="${count('fail')}" errors="${count('inconclusive')}" skipped="${count('skipped')}" time="${seconds(result.durationMs)}"`;
  const name = escapeXml(scenario.name);
  return document(name, numbers, result.startedWall, [
    '    <properties>',
    property('verdict', verdict.outcome),
    property('reason', verdict.reason),
    property('runId', result.runId),
    ...result.targets.map((target) => property(target.name, target.text)),
    '    </properties>',
    ...findings.map((finding) => testCase(name, finding)),
  ]);
}

/** Of a run that was not judged: one error that says why, never a pass. */
export function unjudgedJunitXml({ scenario, startedWall, problem }: Unjudged): string {
  const numbers = 'tests="1" failures="0" errors="1" skipped="0"';
  const name = escapeXml(scenario);
  return document(name, numbers, startedWall, [
    `    <testcase classname="gameday.${name}" name="run-complete" time="0"><error type="inconclusive" message="${escapeXml(problem)}"/></testcase>`,
  ]);
}

/** One suite; its name is escaped. */
function document(name: string, numbers: string, startedWall: string, lines: readonly string[]): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="gameday" ${numbers}>`,
    `  <testsuite name="${name}" ${numbers}${startedWall === '' ? '' : ` timestamp="${escapeXml(startedWall)}"`}>`,
    ...lines,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

const seconds = (ms: number): string => (ms / 1000).toFixed(3);

function property(name: string, value: string): string {
  return `      <property name="${escapeXml(name)}" value="${escapeXml(value)}"/>`;
}

function testCase(suite: string, finding: Finding): string {
  const message = escapeXml(finding.message);
  const lines = finding.evidence.length === 0 ? '' : `events.ndjson, line ${finding.evidence.slice(0, 20).join(', ')}`;
  const body = {
    pass: '',
    warn: `<system-out>warning: ${message}</system-out>`,
    skipped: `<skipped message="${message}"/>`,
    fail: `<failure type="fail" message="${message}">${lines}</failure>`,
    inconclusive: `<error type="inconclusive" message="${message}">${lines}</error>`,
  }[finding.outcome];
  const open = `    <testcase classname="gameday.${suite}" name="${escapeXml(finding.check)}" time="0"`;
  return body === '' ? `${open}/>` : `${open}>${body}</testcase>`;
}
