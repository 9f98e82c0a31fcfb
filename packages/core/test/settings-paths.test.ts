import { describe, expect, it } from "vitest";
import {
  controlSocket,
  defaultSettings,
  resolveSettings,
  socketDirectoryProblem,
  stateDirectoryProblem,
} from "../src/settings/index.ts";

describe("paths of sluice.yaml", () => {
  it("are relative to the base directory, and absolute ones stay", () => {
    const settings = { ...defaultSettings(), state: { directory: "/var/lib/sluice" } };
    const resolved = resolveSettings(settings, "/etc/sluice");
    expect(resolved.config.directory).toBe("/etc/sluice/config");
    expect(resolved.state.directory).toBe("/var/lib/sluice");
    expect(resolved.edge.accessLog.path).toBe("/dev/stdout");
  });

  it("lead to the files for etcd", () => {
    const tls = { ca: "ca.crt", certificate: "/tls/ctrl.crt", privateKey: "ctrl.key" };
    const etcd = {
      endpoints: ["https://etcd:2379"],
      prefix: "/sluice",
      tls,
      passwordFile: "password",
      timeoutSeconds: 10,
    };
    const settings = defaultSettings();
    const store = { kind: "etcd" as const, etcd };
    const resolved = resolveSettings({ ...settings, ctrl: { ...settings.ctrl, store } }, "/etc/sluice").ctrl.store.etcd;
    expect(resolved?.tls).toEqual({
      ca: "/etc/sluice/ca.crt",
      certificate: "/tls/ctrl.crt",
      privateKey: "/etc/sluice/ctrl.key",
    });
    expect(resolved?.passwordFile).toBe("/etc/sluice/password");
  });

  it("leave a switched-off access log switched off", () => {
    const settings = defaultSettings();
    settings.edge.accessLog.path = "off";
    expect(resolveSettings(settings, "/etc/sluice").edge.accessLog.path).toBe("off");
  });

  const place = { tmpDirectory: "/tmp", uid: 1000 };

  it("put the control socket beside the state", () => {
    expect(controlSocket("/var/lib/sluice", place)).toEqual({ path: "/var/lib/sluice/ctrl.sock", ownDirectory: null });
  });

  it("put the control socket of a deep state directory elsewhere, one for each directory and user", () => {
    const deep = `/srv/${"é".repeat(60)}`;
    const { path, ownDirectory } = controlSocket(deep, place);
    expect(ownDirectory).toMatch(/^\/tmp\/sluice-1000-[0-9a-f]{16}$/);
    expect(path).toBe(`${ownDirectory}/ctrl.sock`);
    expect(controlSocket(deep, place).path).toBe(path);
    expect(controlSocket(`${deep}2`, place).path).not.toBe(path);
    expect(controlSocket(deep, { ...place, uid: 1001 }).path).not.toBe(path);
  });
});

function directory(uid: number, permissions: number) {
  return { uid, mode: 0o040000 | permissions, isDirectory: () => true };
}

describe("a state directory", () => {
  const problem = (owner: number, permissions: number, uid = 1000) =>
    stateDirectoryProblem({ path: "/s", stats: directory(owner, permissions), uid });

  it("may be readable for others, but not writable, sticky or not", () => {
    expect([problem(1000, 0o700), problem(1000, 0o755)]).toEqual([null, null]);
    for (const permissions of [0o775, 0o702, 0o1777]) expect(problem(1000, permissions)).toContain("may write to /s");
  });

  it("belongs to the process or to root, unless root runs the process", () => {
    expect([problem(0, 0o755), problem(1001, 0o700, 0)]).toEqual([null, null]);
    expect(problem(1001, 0o755)).toContain("belongs to user 1001");
  });
});

describe("the directory of a control socket among temporary files", () => {
  const problem = (owner: number, permissions: number) =>
    socketDirectoryProblem({ path: "/tmp/s", stats: directory(owner, permissions), uid: 1000 });

  it("is the process's own and closed to everybody else", () => {
    expect(problem(1000, 0o700)).toBeNull();
    expect(problem(1000, 0o750)).toContain("/tmp/s is open to other users");
    expect(problem(0, 0o700)).toContain("/tmp/s belongs to user 0");
  });

  it("is not the link or file that somebody put in its place", () => {
    const stats = { ...directory(1000, 0o700), isDirectory: () => false };
    expect(socketDirectoryProblem({ path: "/tmp/s", stats, uid: 1000 })).toContain("/tmp/s is no directory");
  });
});
