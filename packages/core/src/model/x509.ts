// @peculiar/x509, loaded when the first certificate has to be read: with what it needs it is thirty packages and 160 ms of CPU in every
// process, and most workers never see a client certificate.
import { createRequire } from "node:module";
import type * as X509 from "@peculiar/x509";

const require = createRequire(import.meta.url);
let loaded: typeof X509 | null = null;

/** The module. The first call takes its time: whoever knows that certificates will come calls before they do. */
export function loadX509(): typeof X509 {
  return (loaded ??= load());
}

function load(): typeof X509 {
  require("reflect-metadata");
  return require("@peculiar/x509") as typeof X509;
}
