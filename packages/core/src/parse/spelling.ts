// protobuf's JSON mapping accepts two spellings of a field, `credentialName` and `credential_name`, and so does Istio.

/** `credential_name` → `credentialName`; anything that is not lower snake case stays as it is. */
export function toCamelCase(key: string): string {
  return key.replace(/(?<=[a-z0-9])_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
