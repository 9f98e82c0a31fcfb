// How much of an answer is worth reading at once for whom: each piece is read and written by a system call of its own, and wakes whoever waits for it.

/**
 * Indexes of `pieceBytes`. `small`: for streams that share a connection, each of which may hold a piece back, and for everybody until a piece was
 * full; 64 KiB and a head. `large`: nothing is copied.
 */
export const pieceSize = { small: 0, medium: 1, large: 2 } as const;

export type PieceSize = (typeof pieceSize)[keyof typeof pieceSize];

export const pieceBytes: Readonly<Record<PieceSize, number>> = [80 * 1024, 256 * 1024, 1024 * 1024];
