// What the compile thread remembers from one configuration to the next, so that the change of one resource costs what depends on it. Each part
// holds what the last configuration used. None decides anything: with or without, the same texts give the same table and findings.
import { CompileMemory, ParseMemory, ReferenceMemory, ValidationMemory } from "@sluice/core";
import { EncodeMemory } from "@sluice/core/wire";
import { DirectoryMemory } from "./directory-memory.ts";
import { StoredDocuments } from "./stored-document.ts";

export class ConfigurationMemory {
  readonly directory = new DirectoryMemory(new ParseMemory());
  readonly stored = new StoredDocuments();
  readonly validation = new ValidationMemory();
  readonly references = new ReferenceMemory();
  readonly compilation = new CompileMemory();
  readonly encoding = new EncodeMemory();
}
