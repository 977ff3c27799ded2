import type { ResultDocument } from './result-shape.ts';

/** From this share of a second on, clients' connections may fail for want of a processor alone. */
const STARVED = 0.25;

/** How busy the machine was, in a sentence; null where it was not watched. */
export function machineText({ machine }: Pick<ResultDocument, 'machine'>): string | null {
  if (machine === null) return null;
  const { busy, stolen, waited, networkWait } = machine;
  const starved = networkWait !== null && networkWait.max >= STARVED;
  return [
    `processors ${percent(busy)} busy, ${percent(stolen)} of their time given to other machines`,
    ...(waited === null ? [] : [`some program waited for one ${percent(waited.median)} of the time`]),
    ...(networkWait === null
      ? ["how long the kernel's network threads waited for a processor is not known: this kernel does not show it"]
      : [
          `the kernel's network threads waited for a processor ${percent(networkWait.median)} of the time, ${percent(networkWait.max)} of the worst second`,
        ]),
    ...(starved
      ? [
          "in such a second connections may have failed for that alone, with nothing wrong in the system: play it again with less beside it, and with no control group above the default CPU weight, which takes these threads' processor away",
        ]
      : []),
  ].join('; ');
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.0995 && share > 0 ? 1 : 0)} %`;
}
