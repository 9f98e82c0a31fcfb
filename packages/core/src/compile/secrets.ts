// The secret resources that filter chains name. Each is loaded once; each place that names one which is not ready gets a warning.
import { type SecretResource, SecretText } from "../model/index.ts";
import type { CompileContext } from "./context.ts";
import { caResourceName, certificateResourceName, type Credential, parseCredentialName } from "./credential-name.ts";
import type { Site } from "./findings.ts";
import { compareText } from "./order.ts";
import {
  invalid,
  loadCertificate,
  loadCertificateFiles,
  loadCrlFile,
  loadTrustedCa,
  loadTrustedCaFile,
  type SecretContent,
  type SecretProblemCode,
} from "./secret-content.ts";
import { SecretHints } from "./secret-hints.ts";

interface Entry {
  readonly resource: SecretResource;
  readonly problem: { readonly code: SecretProblemCode; readonly message: string; readonly hint?: string } | null;
}

/** A file and the field that names it. */
interface NamedFile {
  readonly path: string;
  readonly site: Site;
}

/** Gives out secret resources by reference and remembers which were asked for. */
export class SecretCollector {
  readonly #context: CompileContext;
  readonly #hints: SecretHints;
  readonly #entries = new Map<string, Entry>();
  /** When the first certificate that is refused because its time has not come becomes valid; null: there is none. */
  nextValidFromMs: number | null = null;

  constructor(context: CompileContext) {
    this.#context = context;
    this.#hints = new SecretHints(context.resources);
  }

  /** Everything that was asked for, sorted by name. */
  get resources(): readonly SecretResource[] {
    return [...this.#entries.values()].map((entry) => entry.resource).toSorted((a, b) => compareText(a.name, b.name));
  }

  /** The server certificate of a credential. */
  certificate(credentialName: string, site: Site): SecretResource {
    const credential = this.#parse(credentialName);
    if (credential === null) return this.#unknownForm(credentialName, site);
    if (credential.source === "ConfigMap") {
      return this.#require(
        certificateResourceName(credential),
        () => invalid("a ConfigMap cannot hold a private key"),
        site,
      );
    }
    const load = (): SecretContent => this.#hinted(loadCertificate(credential, this.#context), credential);
    return this.#require(certificateResourceName(credential), load, site);
  }

  /** The client CA of a credential, and its revocation lists where it has some. */
  trustedCa(credentialName: string, site: Site): SecretResource {
    const credential = this.#parse(credentialName);
    if (credential === null) return this.#unknownForm(credentialName, site);
    const load = (): SecretContent => this.#hinted(loadTrustedCa(credential, this.#context), credential);
    return this.#require(caResourceName(credential), load, site);
  }

  certificateFiles(chain: NamedFile, key: NamedFile): SecretResource {
    const { files } = this.#context.options;
    const isKeyMissing = typeof files.get(chain.path) === "string" && typeof files.get(key.path) !== "string";
    const load = (): SecretContent => loadCertificateFiles(chain.path, key.path, this.#context);
    return this.#require(`file-cert:${chain.path}~${key.path}`, load, isKeyMissing ? key.site : chain.site);
  }

  trustedCaFile(path: string, site: Site): SecretResource {
    return this.#require(`file-root:${path}`, () => loadTrustedCaFile(path, this.#context), site);
  }

  crlFile(path: string, site: Site): SecretResource {
    return this.#require(`file-crl:${path}`, () => loadCrlFile(path, this.#context), site);
  }

  #hinted(content: SecretContent, credential: Credential): SecretContent {
    if (content.status !== "missing") return content;
    const hint = this.#hints.of(credential);
    return hint === undefined ? content : { ...content, hint };
  }

  #parse(credentialName: string): Credential | null {
    return parseCredentialName(credentialName, this.#context.options.gateway.namespace);
  }

  #unknownForm(credentialName: string, site: Site): SecretResource {
    return this.#require(
      credentialName,
      () => invalid(`"${credentialName}" is no form of credential name known here`),
      site,
    );
  }

  #require(name: string, load: () => SecretContent, site: Site): SecretResource {
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      entry = this.#judge(name, load());
      this.#entries.set(name, entry);
    }
    if (entry.problem !== null) this.#context.findings.warn(site, entry.problem);
    return entry.resource;
  }

  // A broken certificate never replaces a good one (half-written Secret, file caught in the middle of a copy); one that was taken
  // away does: removing a Secret is how an operator withdraws it.
  #judge(name: string, content: SecretContent): Entry {
    if (content.status === "ready") return { resource: toResource(name, content), problem: null };
    if (content.validFromMs !== undefined)
      this.nextValidFromMs = Math.min(content.validFromMs, this.nextValidFromMs ?? Infinity);
    const previous = this.#context.options.previousSecrets?.get(name);
    const keepsPrevious = content.status === "invalid" && previous?.status === "ready";
    const consequence = keepsPrevious ? "what it held before is still served" : "connections that need it are refused";
    const finding = content.status === "missing" ? content.reason : `${name}: ${content.reason}`;
    return {
      resource: keepsPrevious ? previous : toResource(name, content),
      problem: {
        code: content.code,
        message: `${finding}; ${consequence}`,
        ...(content.hint === undefined ? {} : { hint: content.hint }),
      },
    };
  }
}

function toResource(name: string, content: SecretContent): SecretResource {
  const ready = content.status === "ready" ? content : null;
  return {
    name,
    status: content.status,
    reason: content.status === "ready" ? "" : content.reason,
    certificateChain: ready?.certificateChain ?? null,
    privateKey: ready?.privateKey === undefined ? null : new SecretText(ready.privateKey),
    trustedCa: ready?.trustedCa ?? null,
    crl: ready?.crl ?? null,
  };
}
