import { mark } from './html/header.ts';
import { html } from './html/markup.ts';
import { document } from './html/page.ts';
import { unjudgedJunitXml } from './junit.ts';
import { inline } from './markdown.ts';
import type { Unjudged } from './unjudged.ts';

/** In the places of a judged run's reports. There is no result.json: no program shall find a result. */
export const UNJUDGED_FORMATS = {
  'report.html': unjudgedPage,
  'summary.md': unjudgedSummary,
  'junit.xml': unjudgedJunitXml,
} as const satisfies Readonly<Record<string, (run: Unjudged) => string>>;

const WHAT_TO_DO =
  'The record (events.ndjson) alone decides, and this one could not be judged: the run proves nothing. ' +
  'Bring back the whole record from a copy and judge it again (gameday judge), or play the scenario once more. ' +
  'What an earlier judgement said, where there was one, is no verdict any more; it was set aside in files whose names end with .withdrawn.';

function unjudgedPage({ scenario, startedWall, runId, problem }: Unjudged): string {
  const body = html`<header class="inconclusive">
      <p class="eyebrow">Game day${startedWall === '' ? null : ` · ${startedWall.slice(0, 16).replace('T', ' ')} UTC`}</p>
      <h1>${scenario} <span class="pill inconclusive">Inconclusive</span></h1>
      <p class="reason">${mark('inconclusive')} It could not be judged: ${problem}</p>
    </header>
    <section class="card">
      <h2>What this means</h2>
      <p>${WHAT_TO_DO}</p>
      <p class="quiet">Run <code>${runId}</code></p>
    </section>`;
  return document(`${scenario}: inconclusive`, body);
}

function unjudgedSummary({ scenario, startedWall, runId, problem }: Unjudged): string {
  const run = inline(`Run ${runId}${startedWall === '' ? '' : `, ${startedWall}`}.`);
  return `# ${inline(scenario)}: INCONCLUSIVE\n\n${inline(`It could not be judged: ${problem}`)}\n\n${inline(WHAT_TO_DO)}\n\n${run}\n`;
}
