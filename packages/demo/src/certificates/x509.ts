// The only door to @peculiar/x509. It refuses to load unless Reflect metadata exists (its dependency tsyringe asks for it), so the
// polyfill must run first, which two imports in one file guarantee and imports scattered over files do not.
import "reflect-metadata";

export * from "@peculiar/x509";
