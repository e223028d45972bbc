"""The style of the page: no font, image or script of elsewhere; light and dark, wide and narrow."""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1b2430; --soft: #5c6773; --line: #d9dee4;
  --a: #1f5fbf; --b: #b4530a; --note: #8a5a00; --bar: #4a83d4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161c; --card: #1a2029; --ink: #e6eaf0; --soft: #9aa6b4; --line: #313a46;
    --a: #79b0ff; --b: #ffa963; --note: #e0b04c; --bar: #5a92e0;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main { max-width: 1180px; margin: 0 auto; padding: 24px 20px 48px; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 8px 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 0 0 2px; }
p { margin: 0 0 10px; max-width: 75ch; }
.soft, small, caption, .facts dt { color: var(--soft); }
small { display: block; font-size: .76rem; white-space: nowrap; }
code {
  font: .86em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere;
}
.tiles {
  display: grid; gap: 12px; margin: 18px 0;
  grid-template-columns: repeat(4, minmax(0, 1fr));
}
@media (max-width: 899px) { .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
.tile, section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.tile { padding: 12px 14px; }
.tile b {
  display: block; font-size: 1.7rem; line-height: 1.25; font-weight: 650;
  font-variant-numeric: tabular-nums;
}
.tile.first { border-left: 5px solid var(--a); grid-column: span 2; }
.tile.first b { font-size: 2.3rem; }
.tile span { display: block; font-size: .85rem; line-height: 1.35; }
section { padding: 18px 20px; margin: 0 0 16px; }
.beside + .beside { margin-top: 18px; }
.beside {
  display: grid; gap: 12px 28px; grid-template-columns: minmax(0, 1fr); align-items: start;
}
@media (min-width: 900px) { .beside { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); } }
svg { display: block; width: 100%; max-width: 560px; height: auto; overflow: visible; }
.scroll { overflow-x: auto; }
table {
  border-collapse: collapse; width: 100%; font-size: .86rem; font-variant-numeric: tabular-nums;
}
table + table, .scroll + .scroll { margin-top: 14px; }
caption { text-align: left; padding: 0 0 4px; font-size: .82rem; }
th, td {
  text-align: right; padding: 4px 0 4px 12px; border-top: 1px solid var(--line);
  vertical-align: top;
}
th { font-weight: 600; }
thead th { border-top: 0; color: var(--soft); font-weight: 500; vertical-align: bottom; }
th:first-child { text-align: left; padding-left: 0; }
td { white-space: nowrap; }
.texts td { text-align: left; white-space: normal; }
.texts td:last-child { min-width: 16rem; overflow-wrap: anywhere; }
.texts th:first-child { min-width: 6rem; }
.facts {
  display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 2px 16px;
  margin: 0; font-size: .9rem;
}
.facts dd { margin: 0; overflow-wrap: anywhere; }
details > summary { cursor: pointer; padding: 4px 0; }
footer { color: var(--soft); font-size: .85rem; }
svg text { fill: var(--ink); font: 13px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
svg .figure, svg .tick { font-variant-numeric: tabular-nums; }
svg .tick, svg .title, svg .soft { fill: var(--soft); font-size: 12px; }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .axis { stroke: var(--soft); stroke-width: 1; }
svg .note { stroke: var(--note); stroke-width: 1.4; stroke-dasharray: 5 4; }
svg .whisker { stroke: var(--a); stroke-width: 2; }
svg .dot { fill: var(--a); stroke: var(--card); stroke-width: 1; }
svg .whisker.b { stroke: var(--b); }
svg .dot.b { fill: var(--b); }
svg .curve { fill: none; stroke: var(--a); stroke-width: 2; }
svg .curve.b { stroke: var(--b); stroke-dasharray: 2 3; }
svg .bar { fill: var(--bar); }
@media (max-width: 520px) {
  main { padding: 12px 10px 32px; }
  section { padding: 14px 12px; }
  .tiles { gap: 8px; }
  .tile { padding: 10px; }
  .tile b { font-size: 1.4rem; }
  .tile small { white-space: normal; }
  table { font-size: .8rem; }
  small { font-size: .66rem; }
  th, td { padding-left: 6px; }
}
@media print { section { break-inside: avoid; } }
"""
