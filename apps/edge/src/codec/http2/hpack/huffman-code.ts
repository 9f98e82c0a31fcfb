// The Huffman code of HPACK (RFC 7541, appendix B). It is canonical: the lengths of the codes say everything, codes of one length being
// consecutive in the order of their symbols.

/** Bits of the code of each byte. The 257th symbol, 30 ones, ends nothing: it is what padding is taken from, and is an error by itself. */
// prettier-ignore
const codeLengths = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
] as const;

export const endOfString = 256;
const endOfStringBits = 30;

export interface HuffmanCode {
  /** 0 to 255 and `endOfString`. */
  readonly symbol: number;
  readonly bits: number;
  readonly code: number;
}

/** Every code, by symbol. */
export const huffmanCodes: readonly HuffmanCode[] = assignCodes();

function assignCodes(): HuffmanCode[] {
  const symbols = [
    ...codeLengths.map((bits, symbol) => ({ symbol, bits })),
    { symbol: endOfString, bits: endOfStringBits },
  ];
  let code = -1;
  let length = symbols.reduce((least, { bits }) => Math.min(least, bits), endOfStringBits);
  const codes = symbols
    .toSorted((left, right) => left.bits - right.bits || left.symbol - right.symbol)
    .map(({ symbol, bits }) => {
      code = (code + 1) * 2 ** (bits - length);
      length = bits;
      return { symbol, bits, code };
    });
  return codes.toSorted((left, right) => left.symbol - right.symbol);
}
