// How the page looks, in light and in dark.

export const style = `
:root {
  --ground: #fcfcfa; --ink: #1d2328; --soft: #5d6770; --line: #dfe2e0;
  --sluice: #0f7b6c; --native: #6b7785; --node-proxy: #c08a3e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14181b; --ink: #e4e8ea; --soft: #98a3ab; --line: #2c3339;
    --sluice: #3cc0a9; --native: #8793a0; --node-proxy: #d6a35a;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 76rem; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0 0 1rem; font-size: 1.9rem; letter-spacing: -0.02em; }
h2 { margin: 3rem 0 0.25rem; font-size: 1.25rem; }
p { margin: 0 0 1rem; max-width: 48rem; color: var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.15rem 1rem; margin: 0; font-size: 0.9rem; }
dt { color: var(--soft); }
dd { margin: 0; }
code { color: var(--soft); font-size: 0.85em; }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; margin: 1.5rem 0 0; padding: 0; list-style: none; font-size: 0.9rem; }
.legend i { display: inline-block; width: 0.8rem; height: 0.8rem; margin-right: 0.45rem; border-radius: 2px; vertical-align: -1px; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 32rem), 1fr)); gap: 1.75rem 2.5rem; }
figure { margin: 0; }
figcaption { margin-bottom: 0.4rem; padding-bottom: 0.25rem; border-bottom: 1px solid var(--line); font-size: 0.9rem; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; }
svg .value, svg .tick { fill: var(--soft); font-variant-numeric: tabular-nums; }
svg .tick { font-size: 10px; }
svg .grid { stroke: var(--line); }
svg .spread { stroke: var(--ink); stroke-width: 1.25; opacity: 0.75; }
.sluice { fill: var(--sluice); background: var(--sluice); }
.native { fill: var(--native); background: var(--native); }
.node-proxy { fill: var(--node-proxy); background: var(--node-proxy); }
.faded { opacity: 0.45; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin-top: 0.75rem; font-size: 0.82rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
th, td { padding: 0.25rem 0.7rem 0.25rem 0; border-bottom: 1px solid var(--line); text-align: left; }
th { color: var(--soft); font-weight: 500; }
`;
