// The Date header's value, of both engines.

let second = -1;
let text = "";

/** Now, as RFC 9110 5.6.7 writes it; formatted once a second. */
export function httpDate(): string {
  const now = Math.floor(Date.now() / 1000);
  if (now !== second) {
    second = now;
    text = new Date(now * 1000).toUTCString();
  }
  return text;
}
