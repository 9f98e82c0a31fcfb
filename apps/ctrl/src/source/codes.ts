// Every finding about a file as a whole that reading the sources can make: its code and what it means. The reference documentation is
// generated from this.

export const sourceCodes = {
  "unreadable-file": "The file or directory does not exist, cannot be read, or is no regular file.",
  "not-utf-8": "The file is not valid UTF-8.",
  "file-too-large": "The file is larger than the limit, or holds more documents than the limit.",
  "empty-directory": "A directory named with `-f` holds no configuration file.",
  "empty-file":
    "A file of the running version is empty now, as one is in the middle of a save; the running version stays. Delete the file to remove its resources.",
} as const;

export type SourceCode = keyof typeof sourceCodes;
