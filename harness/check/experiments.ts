/** Whether a fault of the record belongs to an inject step: a manifest of several experiments gives `<step>:<kind>/<name>` for each. */
export function isOfStep(fault: string, step: string): boolean {
  return fault === step || fault.startsWith(`${step}:`);
}
