// Every finding about where resources come from: its code and what it means. The reference documentation is generated from this.

export const originCodes = {
  "shadowed-resource":
    "A file of the configuration directory declares a resource that was pushed too; the file's is used.",
} as const;

export type OriginCode = keyof typeof originCodes;
