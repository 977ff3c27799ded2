/** Takes the first of that name out of what is left: of a repeated group of steps each round has one under the same name. */
export function takeNamed<One extends { readonly name: string }>(left: One[], name: string): One | undefined {
  const at = left.findIndex((one) => one.name === name);
  return at < 0 ? undefined : left.splice(at, 1)[0];
}
