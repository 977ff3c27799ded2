import type { VerdictOutcome } from '../check/verdict.ts';
import { digestMarkdown, type Digest } from './digest.ts';
import { inline } from './markdown.ts';

/** What is certified: a release's tag, and the commit that it names. */
export interface Subject {
  readonly tag: string;
  readonly commit: string;
}

export interface Certificate {
  readonly schema: 1;
  readonly subject: Subject;
  readonly certified: boolean;
  readonly verdict: { readonly outcome: VerdictOutcome; readonly reason: string };
  readonly madeWall: string;
  readonly missing: readonly string[];
  readonly runs: readonly {
    readonly folder: string;
    readonly scenario: string | null;
    readonly seed: number | null;
    readonly outcome: VerdictOutcome | null;
    /** File of the run's folder → SHA-256, hexadecimal. */
    readonly sha256: Readonly<Record<string, string>>;
  }[];
}

/** The digest of a certification, with what the records must be to be those that were judged. Pure. */
export function certificateOf(
  digest: Digest,
  subject: Subject,
  { madeWall, sha256 }: { readonly madeWall: string; readonly sha256: ReadonlyMap<string, Readonly<Record<string, string>>> },
): Certificate {
  const { outcome, reason, missing, runs } = digest;
  return {
    schema: 1,
    subject,
    certified: outcome === 'pass',
    verdict: { outcome, reason },
    madeWall,
    missing,
    runs: runs.map(({ folder, result }) => ({
      folder,
      scenario: result?.scenario.name ?? null,
      seed: result?.environment.seed ?? null,
      outcome: result?.verdict.outcome ?? null,
      sha256: sha256.get(folder) ?? {},
    })),
  };
}

/** For the release. Its first line is what somebody has to see who reads nothing else. */
export function certificateMarkdown({ subject, certified, madeWall }: Certificate, digest: Digest): string {
  return `# ${inline(subject.tag)}: ${certified ? 'CERTIFIED' : 'NOT CERTIFIED'}

Commit ${inline(subject.commit)}, ${inline(madeWall)}. The records of all runs are attached; \`gameday judge\` judges each again.

${digestMarkdown(digest).replace(/^# /, '## ')}`;
}
