// gRPC as its users have it: a grpc-js server whose calls the story answers itself, and a grpc-js client for it. Messages are bytes.
import { EventEmitter, once } from "node:events";
import {
  type Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientWritableStream,
  Metadata,
  Server,
  ServerCredentials,
  type handleUnaryCall,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";

const asIs = (message: Buffer): Buffer => message;

function method(service: string, name: string, requestStream: boolean, responseStream: boolean) {
  const serialisers = {
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  return { path: `/${service}/${name}`, requestStream, responseStream, ...serialisers };
}

function definitionOf(service: string) {
  return {
    Unary: method(service, "Unary", false, false),
    Upload: method(service, "Upload", true, false),
    Download: method(service, "Download", false, true),
    Talk: method(service, "Talk", true, true),
  };
}

/** What a call hands to the story. The answer of a call with one response is given to `reply`. */
interface Calls {
  Unary: [ServerUnaryCall<Buffer, Buffer>, sendUnaryData<Buffer>];
  Upload: [ServerReadableStream<Buffer, Buffer>, sendUnaryData<Buffer>];
  Download: [ServerWritableStream<Buffer, Buffer>];
  Talk: [ServerDuplexStream<Buffer, Buffer>];
}

/** A server without TLS (h2c), on a free port. */
export class GrpcBackend {
  readonly port: number;
  private readonly server: Server;
  private readonly calls: EventEmitter;

  constructor(server: Server, port: number, calls: EventEmitter) {
    this.server = server;
    this.port = port;
    this.calls = calls;
  }

  /** @param services full names (`story.Echo`), each with the same four methods */
  static async start(services: readonly string[]): Promise<GrpcBackend> {
    const server = new Server();
    const calls = new EventEmitter();
    const handlers = Object.fromEntries(
      ["Unary", "Upload", "Download", "Talk"].map((name) => [
        name,
        (...call: Parameters<handleUnaryCall<Buffer, Buffer>>) => calls.emit(name, ...call),
      ]),
    ) as UntypedServiceImplementation;
    for (const service of services) server.addService(definitionOf(service), handlers);
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    return new GrpcBackend(server, port, calls);
  }

  /** The next call of a method. Asked for before the client calls. */
  async next<Name extends keyof Calls>(name: Name): Promise<Calls[Name]> {
    return (await once(this.calls, name)) as Calls[Name];
  }

  /** Every call of Unary from now on is answered with its own message. */
  echoUnary(): () => void {
    const answer = ({ request }: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>): void =>
      reply(null, request);
    this.calls.on("Unary", answer);
    return () => this.calls.off("Unary", answer);
  }

  /** Closes, with everything under way. */
  close(): void {
    this.server.forceShutdown();
  }
}

/** One call with one response, as it ended. */
export interface UnaryOutcome {
  readonly error: ServiceError | null;
  readonly message: Buffer | undefined;
}

/** A client of one service. */
export class GrpcClient {
  readonly client: Client;
  private readonly service: string;

  constructor(client: Client, service: string) {
    this.client = client;
    this.service = service;
  }

  unary(message: Buffer, options: { readonly metadata?: Metadata; readonly deadline?: number } = {}) {
    const { metadata = new Metadata(), ...rest } = options;
    let resolve: (outcome: UnaryOutcome) => void = () => {};
    const outcome = new Promise<UnaryOutcome>((settle) => (resolve = settle));
    const path = `/${this.service}/Unary`;
    const call = this.client.makeUnaryRequest(path, asIs, asIs, message, metadata, rest, (error, value) =>
      resolve({ error, message: value }),
    );
    return { call, outcome };
  }

  upload(): { call: ClientWritableStream<Buffer>; outcome: Promise<UnaryOutcome> } {
    let resolve: (outcome: UnaryOutcome) => void = () => {};
    const outcome = new Promise<UnaryOutcome>((settle) => (resolve = settle));
    const call = this.client.makeClientStreamRequest<Buffer, Buffer>(
      `/${this.service}/Upload`,
      asIs,
      asIs,
      (error, message) => resolve({ error, message }),
    );
    return { call, outcome };
  }

  download(message: Buffer): ClientReadableStream<Buffer> {
    return this.client.makeServerStreamRequest<Buffer, Buffer>(`/${this.service}/Download`, asIs, asIs, message);
  }

  talk(): ClientDuplexStream<Buffer, Buffer> {
    return this.client.makeBidiStreamRequest<Buffer, Buffer>(`/${this.service}/Talk`, asIs, asIs);
  }
}
