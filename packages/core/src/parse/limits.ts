// What a configuration file may ask of the reader. Files come from people and from the API: each limit stops a known attack, and
// all lie far above what the largest honest configuration needs.

/** One source. 10,000 virtual services are about 6 MiB. */
export const maxFileBytes = 32 * 1024 * 1024;

/** Documents in one source: `---` alone makes one, four bytes each. */
export const maxDocumentsPerFile = 200_000;

/** Lists and maps inside each other, aliases expanded. The deepest field of an Istio resource stands at about 12. */
export const maxDepth = 100;

/** Values that the aliases of one document may stand for together ("billion laughs"). */
export const maxAliasedValues = 100_000;

/** Syntax errors reported for one document; what follows the first few is mostly their echo. */
export const maxSyntaxErrors = 5;

/** Other problems reported for one document before its schema is looked at, such as duplicate keys. */
export const maxProblems = 100;
