// What outlier detection knows of one endpoint: its errors in a row, and whether, since when and for how long it is ejected.
import type { OutlierDetection } from "@sluice/core/model";

/** What an endpoint is ejected for. */
export type EjectionReason = "consecutive-5xx" | "consecutive-gateway-errors" | "consecutive-local-errors";

/** What happened to a request without a response of the endpoint: it could not be reached or went away, or it took too long. */
export type LocalError = "failure" | "timeout";

/** The detector, as its monitors see it. */
export interface MonitorOwner {
  readonly config: OutlierDetection;
  /** The endpoint has made as many errors as it may. */
  onOutlier(monitor: HostMonitor, reason: EjectionReason): void;
}

export class HostMonitor {
  readonly address: string;
  private readonly owner: MonitorOwner;
  private errors5xx: number;
  private gatewayErrors: number;
  private localErrors: number;
  /** Why it is ejected; null when it is not. */
  ejectedFor: EjectionReason | null;
  /** Monotonic milliseconds. */
  returnsAtMs: number;
  /** How long its next ejection lasts, in base times; falls by one with every interval that it behaves. */
  multiplier: number;

  constructor(address: string, owner: MonitorOwner) {
    this.address = address;
    this.owner = owner;
    this.errors5xx = 0;
    this.gatewayErrors = 0;
    this.localErrors = 0;
    this.ejectedFor = null;
    this.returnsAtMs = 0;
    this.multiplier = 0;
  }

  /** The endpoint has answered with this status. */
  onResponse(status: number): void {
    const { errorCodes } = this.owner.config;
    this.localErrors = 0;
    if (errorCodes.length === 0) this.take(status);
    else this.take(errorCodes.includes(status) ? 500 : 200);
  }

  /** A connection stands. For requests the response says more. */
  onConnected(): void {
    this.localErrors = 0;
  }

  onLocalError(error: LocalError): void {
    const { config } = this.owner;
    if (!config.splitsLocalErrors) this.take(error === "timeout" ? 504 : 503);
    else if (++this.localErrors === config.consecutiveLocalErrors) this.report("consecutive-local-errors");
  }

  /** Counts anew. */
  reset(): void {
    this.errors5xx = 0;
    this.gatewayErrors = 0;
    this.localErrors = 0;
  }

  private take(status: number): void {
    if (status < 500) {
      this.errors5xx = 0;
      this.gatewayErrors = 0;
      return;
    }
    const { consecutive5xx, consecutiveGatewayErrors } = this.owner.config;
    const isGatewayError = status >= 502 && status <= 504;
    this.errors5xx++;
    this.gatewayErrors = isGatewayError ? this.gatewayErrors + 1 : 0;
    if (isGatewayError && this.gatewayErrors === consecutiveGatewayErrors) this.report("consecutive-gateway-errors");
    else if (this.errors5xx === consecutive5xx) this.report("consecutive-5xx");
  }

  private report(reason: EjectionReason): void {
    this.reset();
    // What was under way when it was ejected still comes in.
    if (this.ejectedFor === null) this.owner.onOutlier(this, reason);
  }
}
