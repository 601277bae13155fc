/** One line of the table. Times in milliseconds unless `unit` says otherwise. */
export interface Row {
  readonly figure: string;
  readonly unit: string;
  readonly ours: number;
  /** Null where there is nothing to compare with. */
  readonly rival: number | null;
  /** What the goal is about: ours over the rival's, or what `goalText` says. */
  readonly ratio: number | null;
  readonly goal: string;
  /** Null: shown for information. */
  readonly met: boolean | null;
}

/** `full`: enough to say something. `tiny`: enough to see that the code works. */
export type Scale = 'full' | 'tiny';

export interface FigureContext {
  readonly scale: Scale;
  /** A folder of this run, removed after it; in the checkout, because Codex refuses helpers under the temporary folder. */
  readonly dir: string;
  readonly signal: AbortSignal;
  /** Progress, for people. */
  readonly say: (text: string) => void;
}

export interface Figure {
  readonly name: string;
  /** What is measured against what, and how, for the written results. */
  readonly about: string;
  run(context: FigureContext): Promise<readonly Row[]>;
}

interface Compared {
  readonly figure: string;
  readonly unit: string;
  readonly ours: number;
  readonly rival: number;
}

/** Ours may cost at most `times` what the rival does; no `times`: for information. */
export function atMost(compared: Compared, times?: number): Row {
  const ratio = compared.ours / compared.rival;
  if (times === undefined) return { ...compared, ratio, goal: '', met: null };
  return { ...compared, ratio, goal: `≤ ${times} ×`, met: ratio <= times };
}

/** Ours has to do at least `times` what the rival does. */
export function atLeast(compared: Compared, times: number): Row {
  const ratio = compared.ours / compared.rival;
  return { ...compared, ratio, goal: `≥ ${times} ×`, met: ratio >= times };
}

/** Ours has to stay below a number of its own, whatever the rival does. */
export function below(
  compared: Omit<Compared, 'rival'> & { readonly rival: number | null },
  limit: number,
): Row {
  const { ours, rival, unit } = compared;
  const ratio = rival === null || rival === 0 ? null : ours / rival;
  return { ...compared, ratio, goal: `< ${limit} ${unit}`, met: ours < limit };
}
