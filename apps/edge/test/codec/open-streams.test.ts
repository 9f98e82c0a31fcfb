import fc from "fast-check";
import { expect, test } from "vitest";
import { OpenStreams } from "../../src/codec/http2/open-streams.ts";
import { Stream } from "../../src/codec/http2/stream.ts";

const windows = { sendWindow: 0, receiveWindow: 0 };

/** Few numbers, many of which belong to the same places however large the table has grown. */
const collidingId = fc.oneof(
  fc.nat(20).map((n) => 2 * n + 1),
  fc.nat(40).map((n) => 1024 * n + 1),
);

test("opens, finds and closes as a Map does, however the numbers collide", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), collidingId), { maxLength: 200 }), (steps) => {
      const open = new OpenStreams<never>();
      const model = new Map<number, Stream<never>>();
      for (const [isOpened, id] of steps) {
        const known = model.get(id);
        expect(open.get(id)).toBe(known ?? null);
        if (isOpened && known === undefined) {
          const stream = new Stream<never>(id, windows);
          open.add(stream);
          model.set(id, stream);
        } else if (!isOpened) {
          expect(open.delete(known ?? new Stream<never>(id, windows))).toBe(known !== undefined);
          model.delete(id);
        }
        expect(open.size).toBe(model.size);
      }
      expect(new Set(open.list())).toEqual(new Set(model.values()));
      for (const [id, stream] of model) expect(open.get(id)).toBe(stream);
    }),
    { numRuns: 1000 },
  );
});
