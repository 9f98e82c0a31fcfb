// Names of filter chains, each given once in a table.

/** Who has been given a name so far. */
export interface ChainNames {
  readonly chainNames: Set<string>;
}

/**
 * Names of ports and Gateways may hold dots: port `a.b` of Gateway `c` and port `a` of Gateway `b.c` come to the same name. Were they
 * to share it, the edge would take one chain for the other, and one of the two may be the one that demands certificates.
 */
export function takeName(name: string, { chainNames }: ChainNames): string {
  let free = name;
  for (let count = 2; chainNames.has(free); count++) free = `${name}~${count}`;
  chainNames.add(free);
  return free;
}
