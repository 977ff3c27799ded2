/** One operation to send. `value` is what a put writes: it names its writer, so that every copy can be traced. */
export interface PlannedOperation {
  readonly seq: number;
  readonly op: 'put' | 'get' | 'delete';
  readonly key: string;
  readonly value: string | null;
}

/** Registers of each vantage: keys that are overwritten for ever, `reg/<vantage>/0` … */
export const REGISTERS = 4;
export interface OperationPlan {
  next(): readonly PlannedOperation[];
  /** Beside the sequence: a delete of the oldest unique key that is left, but for the youngest; null when there is none. */
  deleteOldest(): PlannedOperation | null;
}

/** A delete takes a key that is this many unique writes old, so that its put has normally been answered. */
const DELETE_AGE = 20;

export function uniqueKey(vantage: string, seq: number): string {
  return `${vantage}/${seq}`;
}
export function registerKey(vantage: string, register: number): string {
  return `reg/${vantage}/${register}`;
}

export interface PlanOptions {
  /** Whether anything is deleted: not every ledger can. */
  readonly deletes?: boolean;
}

/**
 * The endless sequence of operations of one vantage, a tick at a time: a unique write each tick; instead every 5th an overwrite
 * of a register of its own, and every 25th a delete of an earlier unique key; every 5th tick also a read of anybody's register.
 * Deterministic: the same vantages give the same sequence.
 */
export function operationPlan(vantage: string, vantages: readonly string[], { deletes = true }: PlanOptions = {}): OperationPlan {
  let tick = 0;
  let seq = 0;
  const undeleted: number[] = [];

  function put(key: string, number: number): PlannedOperation {
    return { seq: number, op: 'put', key, value: `${vantage}/${number}` };
  }
  function change(number: number): PlannedOperation {
    if (deletes && tick % 25 === 24 && undeleted.length > 0) {
      const [victim = 0] = undeleted.splice(Math.max(0, undeleted.length - DELETE_AGE), 1);
      return { seq: number, op: 'delete', key: uniqueKey(vantage, victim), value: null };
    }
    if (tick % 5 === 4) return put(registerKey(vantage, Math.floor(tick / 5) % REGISTERS), number);
    undeleted.push(number);
    return put(uniqueKey(vantage, number), number);
  }
  function read(number: number): PlannedOperation {
    const turn = Math.floor(tick / 5) % (vantages.length * REGISTERS);
    const owner = vantages[turn % vantages.length] ?? vantage;
    return { seq: number, op: 'get', key: registerKey(owner, Math.floor(turn / vantages.length)), value: null };
  }
  return {
    deleteOldest() {
      const victim = deletes && undeleted.length > DELETE_AGE ? undeleted.shift() : undefined;
      return victim === undefined ? null : { seq: seq++, op: 'delete', key: uniqueKey(vantage, victim), value: null };
    },
    next() {
      const operations = [change(seq++)];
      if (tick % 5 === 2) operations.push(read(seq++));
      tick += 1;
      return operations;
    },
  };
}
