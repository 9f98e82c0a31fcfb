// Which names inside a configuration directory are configuration. Editors and Kubernetes leave other things beside it.

const extensions = [".yaml", ".yml", ".json"];

/** True for names that end as configuration does, whoever wrote them. */
export function hasConfigExtension(name: string): boolean {
  const lower = name.toLowerCase();
  return extensions.some((extension) => lower.endsWith(extension));
}

/**
 * True for files to be read. Temporaries never are: Emacs locks (`.#x.yaml`), Vim swaps (`.x.yaml.swp`, `4913`) and backups (`x.yaml~`)
 * are hidden or end otherwise.
 */
export function isConfigFileName(name: string): boolean {
  return !isHidden(name) && hasConfigExtension(name);
}

/**
 * True for names that are passed over. A Kubernetes mount keeps the real files in `..2026_01_01/`, points `..data` at it and each visible
 * name at `..data/name`: only the visible names are read, so no file is read twice.
 */
export function isHidden(name: string): boolean {
  return name.startsWith(".");
}
