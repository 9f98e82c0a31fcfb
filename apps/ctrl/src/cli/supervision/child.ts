// A long-running command's side of `sluice up`: an IPC channel, which says "ready" one way and, by closing, "your parent is gone" the other.

/** What children send to `sluice up`. */
export interface ReadyMessage {
  readonly event: "ready";
}

const isStartedByUp = process.send !== undefined;

export function isSupervised(): boolean {
  return isStartedByUp;
}

/** Says that everything is bound and serves. */
export function reportReady(): void {
  const message: ReadyMessage = { event: "ready" };
  process.send?.(message);
}

/** The supervisor died without ending its children (`kill -9`). Nobody would restart or stop them, and the next one finds their ports taken. */
export function onSupervisorGone(listener: () => void): void {
  process.on("disconnect", listener);
}

export function isReadyMessage(message: unknown): message is ReadyMessage {
  return typeof message === "object" && message !== null && "event" in message && message.event === "ready";
}
