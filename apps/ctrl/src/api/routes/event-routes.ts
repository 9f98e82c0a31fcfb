// The live event stream.
import { eventTypes } from "../event-hub.ts";
import { ProblemError } from "../problem.ts";
import { type Route, route } from "../route.ts";
import type { Services } from "../services.ts";

const listed = Object.entries(eventTypes)
  .map(([name, meaning]) => `\`${name}\`: ${meaning}`)
  .join(" ");

export function eventRoutes({ events, tables, maxEventStreams }: Services): readonly Route[] {
  return [
    route({
      method: "GET",
      path: "/v1/events",
      summary: "What happens, as it happens",
      description: `Server-sent events. ${listed} A comment every 15 seconds. A client that falls a mebibyte behind is cut off.`,
      role: "read",
      headers: { "last-event-id": "The last event that was seen; what came since is sent first." },
      answers: { 200: { description: "The stream.", mediaType: "text/event-stream" } },
      handle: ({ request, reply }) => {
        if (events.clientCount >= maxEventStreams) throw new ProblemError(503, "too many follow the events already");
        const last = request.headers["last-event-id"];
        const { current } = tables;
        const hello = { version: current?.table.version ?? null, number: current?.inputs.number ?? 0 };
        // From here on the response is ours, and lasts.
        void reply.hijack();
        events.add(reply.raw, hello, Array.isArray(last) ? last[0] : last);
        return reply;
      },
    }),
  ];
}
