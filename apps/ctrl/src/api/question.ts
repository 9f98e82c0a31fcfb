// The body of POST /v1/explain.
import { z } from "zod";

const headers = z.array(z.tuple([z.string(), z.string()]));

export const questionSchema = z
  .strictObject({
    port: z.int().min(1).max(65_535),
    host: z.string().min(1),
    scheme: z.enum(["http", "https", "tcp"]).optional().describe("https when a server name is given, else http."),
    sni: z.string().nullable().default(null),
    path: z.string().default("/"),
    method: z.string().min(1).default("GET"),
    headers: z
      .union([headers, z.record(z.string(), z.string()).transform(Object.entries).pipe(headers)])
      .default([])
      .describe("Pairs of name and value, or a map."),
    clientCertificate: z.string().nullable().default(null).describe("PEM."),
  })
  .transform((question) => ({ ...question, scheme: question.scheme ?? (question.sni === null ? "http" : "https") }));

export type Question = z.output<typeof questionSchema>;
