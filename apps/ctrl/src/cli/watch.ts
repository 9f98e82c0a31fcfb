// Prints something, and again whenever it has changed, until the user has had enough.
import { setTimeout as pause } from "node:timers/promises";
import type { CtrlClient } from "./ctrl-client.ts";
import { printData, printTalk } from "./terminal.ts";

const clearScreen = "\u001b[H\u001b[2J";
const reconnectMs = 1_000;
/** Events come in bursts; one look serves them all. */
const settleMs = 50;

/** Never returns but by a signal or a closed pipe. The first look fails as a single one would; later ones are tried again. */
export async function watch(client: CtrlClient, render: () => Promise<string>): Promise<never> {
  let shown = "";
  let isDue = false;
  const look = async (): Promise<void> => {
    const text = await render();
    if (text === shown) return;
    await printData(process.stdout.isTTY ? `${clearScreen}${text}` : `${shown === "" ? "" : "\n"}${text}`);
    shown = text;
  };
  const lookSoon = (): void => {
    if (isDue) return;
    isDue = true;
    setTimeout(() => {
      isDue = false;
      look().catch((error: unknown) => printTalk(error instanceof Error ? error.message : String(error)));
    }, settleMs);
  };
  await look();
  for (;;) {
    try {
      await client.follow("/v1/events", lookSoon);
      printTalk("the control plane ended the stream; asking again");
    } catch (error) {
      printTalk(error instanceof Error ? error.message : String(error));
    }
    await pause(reconnectMs);
  }
}
