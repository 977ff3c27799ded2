import type { ResultDocument } from '../result-shape.ts';
import { backups } from './backups.ts';
import { pageHeader, targetsTable } from './header.ts';
import { lagChart } from './lag-chart.ts';
import { html, Markup, type Content } from './markup.ts';
import { overviewChart } from './overview-chart.ts';
import { recoveryChart } from './recovery-chart.ts';
import { engineClaims, environment, faultCard, findings, orders, vantages, writes } from './sections.ts';
import { CHART_STYLE } from './style-charts.ts';
import { MEDIA_STYLE } from './style-media.ts';
import { PAGE_STYLE } from './style-page.ts';

/** No network, no script: whatever a run's text holds, the page can only show it. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

const MOST_CHARTS = 4;

/** `report.html`: the whole run as one self-contained file. */
export function reportPage(result: ResultDocument): string {
  const dnsShareMs = result.recovery.state === 'recovered' ? result.recovery.dnsShareMs : null;
  const worstFault = result.recovery.state === 'recovered' ? result.recovery.fault : null;
  // Of a link that flaps thirty times, one chart says more than thirty.
  const charted = result.faults.length > MOST_CHARTS ? result.faults.filter((fault) => fault.fault === worstFault) : result.faults;
  const body = html`${pageHeader(result)} ${section('What clients saw', overviewChart(result))}
  ${charted.map((fault) => section(`Where the time went: ${fault.fault}`, recoveryChart(fault, fault.fault === worstFault ? dnsShareMs : null)))}
  ${section('Objectives', targetsTable(result))} ${section('Checks', findings(result))}
  ${result.orders.length === 0 ? null : section('Orders of the operator', orders(result))}
  ${result.backups === null ? null : section('Backups', backups(result.backups))} ${section('Writes', writes(result))}
  ${section(
    'Replication lag',
    html`${lagChart(result)}
      <p class="quiet">As the engine reported it; not used to judge.</p>`,
  )}
  ${result.faults.map((fault) => section(`The fault: ${fault.fault}`, faultCard(fault)))} ${section('Vantages', vantages(result))}
  ${section('What the engine says it did', engineClaims(result))}
  ${section(
    'What this does not prove',
    html`<ul class="limits">
      ${result.whatThisDoesNotProve.map((line) => html`<li>${line}</li>`)}
    </ul>`,
  )}
  ${section(
    'How it was run',
    html`${environment(result)}${
      result.notes.length === 0
        ? null
        : html`<ul class="quiet">
            ${result.notes.map((note) => html`<li>${note}</li>`)}
          </ul>`
    }`,
  )}`;
  return document(`${result.scenario.name}: ${result.verdict.outcome}`, body);
}

/** A page around its body: the same head, policy and style for every report. */
export function document(title: string, body: Content): string {
  return `<!doctype html>\n${
    html`<html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        ${new Markup(`<style>${PAGE_STYLE}${CHART_STYLE}${MEDIA_STYLE}</style>`)}
      </head>
      <body>
        <main>${body}</main>
      </body>
    </html>`.text
  }\n`;
}

function section(title: string, body: Content): Markup {
  return html`<section class="card">
    <h2>${title}</h2>
    ${body}
  </section>`;
}
