/** Where a command of a runbook is typed: what its fenced block says after `sh`. */
export type Place = 'operator' | 'backup' | 'restore' | 'pair';

export interface Typed {
  readonly place: Place;
  readonly command: string;
}

const PLACES: Readonly<Record<string, Place>> = { '': 'operator', ' backup': 'backup', ' restore': 'restore', ' pair': 'pair' };

/**
 * The commands of a runbook in the order in which the page has them: each line of its fenced blocks that are marked `sh` (an operator's shell), `sh backup` (where a region's backup service
 * runs), `sh restore` (a machine to restore on) or `sh pair` (where there are two FoundationDB clusters: src/foundationdb/pair.system.test.ts types those), a continued line as one. Throws for a block that is marked `sh` and something else: nobody would run it.
 */
export function commandsOf(markdown: string): readonly Typed[] {
  const blocks = [...markdown.matchAll(/^ *(?:\d+\. )?```sh(.*)\n([\s\S]*?)^ *```$/gm)];
  return blocks.flatMap(([, mark = '', block = '']) => {
    const place = PLACES[mark];
    if (place === undefined) throw new Error(`a block is marked \`sh${mark}\`, which is no place where commands are typed`);
    return block
      .replaceAll(/\s*\\\n\s*/g, ' ')
      .split('\n')
      .map((line) => line.replace(/(?:^|\s)# .*$/, '').trim())
      .filter((line) => line !== '')
      .map((command) => ({ place, command }));
  });
}
