// Huffman strings (RFC 7541, 5.2): decoding four bits at a time through a table of states, encoding through a table of codes.
import { endOfString, huffmanCodes } from "./huffman-code.ts";

/** States times 16: where four more bits lead. */
let transitions: Uint16Array = new Uint16Array(0);
/** States times 16: the symbol that four more bits complete, -1 for none. Codes have five bits at least, so there is never a second. */
let emissions: Int16Array = new Int16Array(0);
/** States in which a string may end: what has been read since the last symbol are seven ones at most. */
let mayEnd: Uint8Array = new Uint8Array(0);
/** Four bits that lead out of the code: into the end-of-string symbol. */
const nowhere = 0xffff;

/** A place inside the code: what four bits lead to has to be asked bit by bit once, when the tables are made. */
interface TreeNode {
  readonly id: number;
  readonly depth: number;
  readonly isAllOnes: boolean;
  readonly children: [TreeNode | number | null, TreeNode | number | null];
}

buildTables();

function buildTables(): void {
  const nodes: TreeNode[] = [];
  const addNode = (depth: number, isAllOnes: boolean): TreeNode => {
    const node: TreeNode = { id: nodes.length, depth, isAllOnes, children: [null, null] };
    nodes.push(node);
    return node;
  };
  const root = addNode(0, true);
  for (const { bits, code, symbol } of huffmanCodes) {
    let node = root;
    for (let bit = bits - 1; bit > 0; bit--) {
      const side = (code >>> bit) & 1;
      const child = node.children[side];
      node = typeof child === "object" && child !== null ? child : addChild(node, side as 0 | 1, addNode);
    }
    node.children[code & 1] = symbol;
  }
  transitions = new Uint16Array(nodes.length * 16);
  emissions = new Int16Array(nodes.length * 16);
  mayEnd = Uint8Array.from(nodes, ({ depth, isAllOnes }) => (isAllOnes && depth <= 7 ? 1 : 0));
  for (const node of nodes) for (let nibble = 0; nibble < 16; nibble++) follow(root, node, nibble);
}

function addChild(parent: TreeNode, side: 0 | 1, addNode: (depth: number, isAllOnes: boolean) => TreeNode): TreeNode {
  const child = addNode(parent.depth + 1, parent.isAllOnes && side === 1);
  parent.children[side] = child;
  return child;
}

function follow(root: TreeNode, from: TreeNode, nibble: number): void {
  const entry = from.id * 16 + nibble;
  let node = from;
  emissions[entry] = -1;
  for (let bit = 3; bit >= 0; bit--) {
    const next = node.children[(nibble >>> bit) & 1] ?? endOfString;
    if (next === endOfString) {
      transitions[entry] = nowhere;
      return;
    }
    if (typeof next === "number") {
      emissions[entry] = next;
      node = root;
    } else node = next;
  }
  transitions[entry] = node.id;
}

/** Five bits a symbol at least: a byte of input is less than two of output. */
let scratch = Buffer.allocUnsafeSlow(4096);

/** The string in `bytes[start, end)`, one char a byte; null when it is not one: a wrong end, or the end-of-string symbol. */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number): string | null {
  if (scratch.length < (end - start) * 2) scratch = Buffer.allocUnsafeSlow((end - start) * 2);
  let state = 0;
  let length = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0;
    for (let shift = 4; shift >= 0; shift -= 4) {
      const entry = state * 16 + ((byte >>> shift) & 15);
      const symbol = emissions[entry] ?? -1;
      state = transitions[entry] ?? nowhere;
      if (state === nowhere) return null;
      if (symbol >= 0) scratch[length++] = symbol;
    }
  }
  return mayEnd[state] === 1 ? scratch.toString("latin1", 0, length) : null;
}

const codes = Uint32Array.from(huffmanCodes, ({ code }) => code);
const lengths = Uint8Array.from(huffmanCodes, ({ bits }) => bits);

/** Bytes that a string (one char a byte) takes. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits += lengths[text.charCodeAt(i)] ?? 0;
  return (bits + 7) >>> 3;
}

/** Writes a string into `target` from `offset`; returns the index behind it. */
export function encodeHuffman(text: string, target: Uint8Array, offset: number): number {
  let position = offset;
  // Bits not written yet, at the lower end: 7 at most, and 24 of a code at a time, so that 31 are enough. As a double, which holds all 37, they
  // took 6 % of a request.
  let pending = 0;
  let pendingBits = 0;
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i);
    const code = codes[symbol] ?? 0;
    for (let left = lengths[symbol] ?? 0; left > 0;) {
      const count = Math.min(left, 24);
      left -= count;
      pending = (pending << count) | ((code >>> left) & (0xffffff >>> (24 - count)));
      pendingBits += count;
      for (; pendingBits >= 8; pendingBits -= 8) target[position++] = pending >>> (pendingBits - 8);
      pending &= 0x7f;
    }
  }
  // What is left is filled up with ones.
  if (pendingBits > 0) target[position++] = (pending << (8 - pendingBits)) | (0xff >>> pendingBits);
  return position;
}
