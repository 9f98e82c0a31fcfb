// A radix tree from path prefixes to route indices. One walk down the path meets every prefix that the path starts with,
// and allocates nothing; a map of prefixes by length would cut and hash one substring a length.

/** Knows which routes share a path, and what they demand besides it. */
export interface CandidateCheck {
  /** The first below `limit` that holds, of `route` and those behind it that have its path; else `limit`. */
  lowestFrom(route: number, limit: number): number;
}

/** In place of a route: there is none. */
export const noRoute = -1;

/** One edge of the tree and what hangs below it. */
interface Node {
  label: string;
  /** The first route whose prefix ends here, or `noRoute`. */
  route: number;
  /** First characters of the children's labels; `children[i]` starts with `firsts[i]`. */
  firsts: readonly number[];
  children: readonly Node[];
}

/** Of a node without children, as most are. */
const noFirsts: readonly number[] = [];
const noChildren: readonly Node[] = [];

export class PrefixTree {
  readonly #root: Node = newNode("");

  /** Puts a route at its prefix, and returns the one that was there, or `noRoute`. */
  replace(prefix: string, route: number): number {
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
    const former = node.route;
    node.route = route;
    return former;
  }

  /**
   * The lowest route below `limit` whose prefix `path` starts with and that `candidates` accepts, else `limit`.
   */
  lowest(path: string, limit: number, candidates: CandidateCheck): number {
    let node: Node = this.#root;
    let lowest = node.route === noRoute ? limit : candidates.lowestFrom(node.route, limit);
    let offset = 0;
    while (offset < path.length) {
      const child: Node | undefined = node.children[node.firsts.indexOf(path.charCodeAt(offset))];
      if (child === undefined || !path.startsWith(child.label, offset)) break;
      offset += child.label.length;
      node = child;
      if (node.route !== noRoute) lowest = candidates.lowestFrom(node.route, lowest);
    }
    return lowest;
  }
}

function newNode(label: string): Node {
  return { label, route: noRoute, firsts: noFirsts, children: noChildren };
}

function appendChild(parent: Node, child: Node): Node {
  // As long as they have to be: there is one child for a character at most, so copying them stays cheap.
  parent.firsts = [...parent.firsts, child.label.charCodeAt(0)];
  parent.children = [...parent.children, child];
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
  node.route = noRoute;
  node.firsts = [rest.label.charCodeAt(0)];
  node.children = [rest];
}
