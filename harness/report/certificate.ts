import type { VerdictOutcome } from '../check/verdict.ts';
import { digestMarkdown, type Digest } from './digest.ts';
import { plural } from './figures.ts';
import { inline } from './markdown.ts';

/** What is certified: a release's tag, and the commit that it names. */
export interface Subject {
  readonly tag: string;
  readonly commit: string;
}

export interface Certificate {
  readonly schema: 1;
  readonly subject: Subject;
  /** The whole: everything that is played of a release, and each run passed. */
  readonly certified: boolean;
  readonly verdict: { readonly outcome: VerdictOutcome; readonly reason: string };
  readonly madeWall: string;
  readonly missing: readonly string[];
  /** Scenarios of the package that nobody asked for: with any of them the certificate is of a part. */
  readonly unasked: readonly string[];
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
  {
    madeWall,
    unasked,
    sha256,
  }: Pick<Certificate, 'madeWall' | 'unasked'> & { readonly sha256: ReadonlyMap<string, Readonly<Record<string, string>>> },
): Certificate {
  const { outcome, reason, missing, runs } = digest;
  return {
    schema: 1,
    subject,
    certified: outcome === 'pass' && unasked.length === 0,
    verdict: { outcome, reason },
    madeWall,
    missing,
    unasked,
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
export function certificateMarkdown({ subject, verdict, unasked, madeWall }: Certificate, digest: Digest): string {
  const passed = unasked.length === 0 ? 'CERTIFIED' : 'CERTIFIED IN PART ONLY';
  const rest =
    unasked.length === 0
      ? ''
      : `\n\n**A part of what a release is asked: ${plural(unasked.length, 'scenario')} of it ${unasked.length === 1 ? 'is' : 'are'} not here.** Not asked for: ${inline(unasked.join(', '))}.`;
  return `# ${inline(subject.tag)}: ${verdict.outcome === 'pass' ? passed : 'NOT CERTIFIED'}

Commit ${inline(subject.commit)}, ${inline(madeWall)}. The records of all runs are attached; \`gameday judge\` judges each again.${rest}

${digestMarkdown(digest).replace(/^# /, '## ')}`;
}
