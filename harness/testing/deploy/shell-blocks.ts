/** The commands of a runbook: each line of its fenced blocks that are marked `sh` (not `sh backup` or any other), a continued line as one. */
export function commandsOf(markdown: string): readonly string[] {
  const blocks = [...markdown.matchAll(/^( *)```sh\n([\s\S]*?)^ *```$/gm)].map((match) => match[2] ?? '');
  return blocks.flatMap((block) =>
    block
      .replaceAll(/\\\n\s*/g, ' ')
      .split('\n')
      .map((line) => line.replace(/(?:^|\s)# .*$/, '').trim())
      .filter((line) => line !== ''),
  );
}
