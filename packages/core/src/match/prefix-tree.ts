// A radix tree from path prefixes to route indices. One walk down the path meets every prefix that the path starts with,
// and allocates nothing; a map of prefixes by length would cut and hash one substring a length.

/** Knows what a route demands besides its path. */
export interface CandidateCheck {
  /** The first of these ascending indices that is below `limit` and holds, else `limit`. */
  lowestOf(routes: readonly number[], limit: number): number;
}

/** One edge of the tree and what hangs below it. */
interface Node {
  label: string;
  /** Ascending indices of the routes whose prefix ends here. */
  routes: number[];
  /** First characters of the children's labels; `children[i]` starts with `firsts[i]`. */
  firsts: number[];
  children: Node[];
}

export class PrefixTree {
  readonly #root: Node = newNode("");

  /** Adds a prefix. Must be called with ascending route indices. */
  add(prefix: string, route: number): void {
    let node = this.#root;
    let offset = 0;
    while (offset < prefix.length) {
      const child = node.children[node.firsts.indexOf(prefix.charCodeAt(offset))];
      if (child === undefined) {
        node = appendChild(node, newNode(prefix.slice(offset)));
        break;
      }
      const shared = sharedLength(child.label, prefix, offset);
      if (shared < child.label.length) splitNode(child, shared);
      node = child;
      offset += shared;
    }
    node.routes.push(route);
  }

  /**
   * The lowest route below `limit` whose prefix `path` starts with and that `candidates` accepts, else `limit`.
   */
  lowest(path: string, limit: number, candidates: CandidateCheck): number {
    let node: Node = this.#root;
    let lowest = candidates.lowestOf(node.routes, limit);
    let offset = 0;
    while (offset < path.length) {
      const child: Node | undefined = node.children[node.firsts.indexOf(path.charCodeAt(offset))];
      if (child === undefined || !path.startsWith(child.label, offset)) break;
      offset += child.label.length;
      node = child;
      if (node.routes.length > 0) lowest = candidates.lowestOf(node.routes, lowest);
    }
    return lowest;
  }
}

function newNode(label: string): Node {
  return { label, routes: [], firsts: [], children: [] };
}

function appendChild(parent: Node, child: Node): Node {
  parent.firsts.push(child.label.charCodeAt(0));
  parent.children.push(child);
  return child;
}

function sharedLength(label: string, text: string, offset: number): number {
  let length = 0;
  while (length < label.length && label.charCodeAt(length) === text.charCodeAt(offset + length)) length++;
  return length;
}

/** Cuts a node's label at `at`: the node keeps the front, a new child gets the rest and everything below. */
function splitNode(node: Node, at: number): void {
  const rest: Node = { ...node, label: node.label.slice(at) };
  node.label = node.label.slice(0, at);
  node.routes = [];
  node.firsts = [rest.label.charCodeAt(0)];
  node.children = [rest];
}
