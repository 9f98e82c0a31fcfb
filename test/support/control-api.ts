// The control API as a program uses it: requests in, status, headers and JSON out.
type Json = Readonly<Record<string, unknown>>;

export interface ApiAnswer<Body = Json> {
  readonly status: number;
  readonly etag: string | null;
  readonly type: string;
  readonly body: Body;
}

export interface ApiRequest {
  readonly method?: string;
  /** A document is sent as JSON, a text as YAML. */
  readonly body?: Json | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a push answers, as far as stories look at it. */
export interface PushBody {
  readonly number: number;
  readonly version: string;
  readonly changed: boolean;
  readonly detail: string;
  readonly failure: string;
  readonly undoneBy: number;
  readonly convergence: { readonly state: string };
}

export class ControlApi {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async ask<Body = Json>(
    path: string,
    { method = "GET", body, headers = {} }: ApiRequest = {},
  ): Promise<ApiAnswer<Body>> {
    const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
    const content = text === undefined ? {} : { body: text };
    const mediaType = typeof body === "string" ? "application/yaml" : "application/json";
    const type = text === undefined ? {} : { "content-type": mediaType };
    const response = await fetch(this.#url + path, { method, headers: { ...type, ...headers }, ...content });
    return {
      status: response.status,
      etag: response.headers.get("etag"),
      type: response.headers.get("content-type")?.split(";")[0] ?? "",
      body: (await response.json()) as Body,
    };
  }

  async apply(body: Json | string, query = ""): Promise<ApiAnswer<PushBody>> {
    return await this.ask<PushBody>(`/v1/apply?${query}`, { method: "POST", body });
  }

  async put(path: string, body: Json, headers: Readonly<Record<string, string>> = {}): Promise<ApiAnswer<PushBody>> {
    return await this.ask<PushBody>(path, { method: "PUT", body, headers });
  }
}
